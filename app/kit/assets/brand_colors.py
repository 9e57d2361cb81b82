"""Read the colors of ``_brand.scss``, for emails, images and browser chrome, where no style sheet applies."""

import re

from app.kit.assets.contrast import rgb

DECLARED = re.compile(r"^\$([a-z-]+-(?:light|dark)):\s*([^;]*?)\s*;", re.MULTILINE)
COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def brand_colors(scss: str) -> dict[str, str]:
    """Return the colors of ``_brand.scss`` as #rrggbb, by name, such as "accent-light".

    Raises ValueError for a color not written as #rgb or #rrggbb: mail programs do not understand Sass.
    """
    declared = dict(DECLARED.findall(scss))
    wrong = [f"${name}: {value}" for name, value in declared.items() if not COLOR.fullmatch(value)]
    if wrong:
        raise ValueError(f"_brand.scss: write #rrggbb instead of {', '.join(wrong)}")
    # Old mail programs misread a bgcolor with three digits.
    return {name: "#{:02x}{:02x}{:02x}".format(*rgb(value)) for name, value in declared.items()}


def light_and_dark(colors: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return ``{name: (light, dark)}`` for each color that has both, as the contrast check expects."""
    names = [name.removesuffix("-light") for name in colors if name.endswith("-light")]
    return {name: (colors[f"{name}-light"], colors[f"{name}-dark"]) for name in names if f"{name}-dark" in colors}
