"""Check the contrast of colors (WCAG 2.2) when styles are built."""

import re
from collections.abc import Mapping, Sequence

# A pair of tokens, text and ground, and the least contrast between them.
Pair = tuple[str, str, float]

COLOR = r"(#[0-9a-f]{3,6})"
TOKEN = re.compile(rf"--([a-z-]+):\s*light-dark\(\s*{COLOR}\s*,\s*{COLOR}\s*\)", re.IGNORECASE)
MODES = ("light", "dark")


def problems(tokens: Mapping[str, tuple[str, str]], read_on: Sequence[Pair]) -> list[str]:
    """Return one sentence for each pair of colors that is too close; ``tokens`` are name: (light, dark)."""
    return [
        f"--{text} on --{ground} has {ratio(tokens[text][mode], tokens[ground][mode]):.2f} of {least} in {MODES[mode]}"
        for text, ground, least in read_on
        if text in tokens and ground in tokens
        for mode in (0, 1)
        if ratio(tokens[text][mode], tokens[ground][mode]) < least
    ]


def colors(css: str) -> dict[str, tuple[str, str]]:
    """Return ``{name: (light, dark)}`` for the properties of ``css`` written ``--name: light-dark(#…, #…)``."""
    return {name: (light, dark) for name, light, dark in TOKEN.findall(css)}


def ratio(one: str, other: str) -> float:
    """Return the contrast ratio of two colors written #rgb or #rrggbb, from 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def rgb(color: str) -> tuple[int, int, int]:
    """Return red, green and blue (0-255) of a color written #rgb or #rrggbb."""
    digits = color.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
