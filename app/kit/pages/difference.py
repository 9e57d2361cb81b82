"""The difference of two texts, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice

# Comparing takes up to the square of the lines.
MOST_LINES = 1000
KINDS = {"+": "added", "-": "removed", " ": "same", "@": "gap"}
HEADER_LINES = 2


@dataclass(frozen=True)
class Line:
    """A line of a difference: "added", "removed", the "same" in both, or a "gap" where lines are left out."""

    kind: str
    text: str


def difference(before: str, after: str) -> list[Line] | None:
    """Return the changed lines with three lines around them, or None if the texts are too long to compare."""
    old, new = before.splitlines(), after.splitlines()
    return None if len(old) + len(new) > MOST_LINES else list(_compared(old, new))


def _compared(old: list[str], new: list[str]) -> Iterator[Line]:
    for line in islice(unified_diff(old, new, lineterm=""), HEADER_LINES, None):
        kind = KINDS[line[0]]
        yield Line(kind, "" if kind == "gap" else line[1:])
