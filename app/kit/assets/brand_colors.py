"""The colors of ``_brand.scss``, for what no style sheet reaches: emails, images, the browser's own frame."""

from __future__ import annotations

import re

DECLARED = re.compile(r"^\$([a-z-]+-(?:light|dark)):\s*([^;]*?)\s*;", re.MULTILINE)
COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def brand_colors(scss: str) -> dict[str, str]:
    """Return each color of ``_brand.scss`` as #rrggbb by its name, such as "accent-light".

    Raises ValueError for one that is written in another way: a mail program knows no Sass.
    """
    declared = dict(DECLARED.findall(scss))
    wrong = [f"${name}: {value}" for name, value in declared.items() if not COLOR.fullmatch(value)]
    if wrong:
        raise ValueError(f"_brand.scss: write #rrggbb instead of {', '.join(wrong)}")
    return {name: _six_digits(value) for name, value in declared.items()}


def light_and_dark(colors: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return the light and the dark value of each color that has both, as the contrast check takes them."""
    names = [name.removesuffix("-light") for name in colors if name.endswith("-light")]
    return {name: (colors[f"{name}-light"], colors[f"{name}-dark"]) for name in names if f"{name}-dark" in colors}


def _six_digits(color: str) -> str:
    # Old mail programs read the three digits of a bgcolor as another color.
    digits = color.removeprefix("#")
    return "#" + ("".join(digit * 2 for digit in digits) if len(digits) == 3 else digits).lower()
