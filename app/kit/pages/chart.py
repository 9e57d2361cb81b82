"""A small bar chart as inline SVG, without scripts and styles, and a table of the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

# The units of the drawing, which is as wide as its place on the page.
WIDTH, HEIGHT, GAP, SMALLEST_BAR = 600, 120, 4, 2


@dataclass(frozen=True)
class Bar:
    """One bar: what it is about, and how many."""

    label: str
    number: int


def bar_chart(bars: Sequence[Bar], title: str, unit: str) -> Markup:
    """Return the chart as an image called ``title``, above the labels of its first and last bar.

    A pointer on a bar shows its label and number.
    """
    highest = max([bar.number for bar in bars] or [0]) or 1
    step = WIDTH / max(1, len(bars))
    drawn = Markup("").join(_drawn(bar, place * step, step - GAP, highest, unit) for place, bar in enumerate(bars))
    start = Markup('<svg class="chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">')
    return start.format(WIDTH, HEIGHT, title) + drawn + Markup("</svg>") + _ends(bars)


def _ends(bars: Sequence[Bar]) -> Markup:
    # A list of one or no bar has no two ends. Screen readers read the title, and the table of the numbers.
    if len(bars) < 2:
        return Markup()
    ends = '<div class="chart__ends muted" aria-hidden="true"><span>{}</span><span>{}</span></div>'
    return Markup(ends).format(bars[0].label, bars[-1].label)  # noqa: S704 - a literal


def _drawn(bar: Bar, x: float, width: float, highest: int, unit: str) -> Markup:
    height = max(SMALLEST_BAR, round(HEIGHT * bar.number / highest))
    return Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}"><title>{}: {} {}</title></rect>').format(
        x, HEIGHT - height, width, height, bar.label, bar.number, unit
    )
