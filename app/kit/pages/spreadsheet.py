"""Rows for a spreadsheet: CSV as in RFC 4180, in UTF-8."""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

# A spreadsheet takes a cell that begins like this, perhaps after blanks, for a formula: it could read other cells, and
# send them away. The wide forms are those of East Asian keyboards.
FORMULA = re.compile(r"[\s\ufeff\u200b\x00]*[=+\-@\t\r\n＝＋－＠]")


def write_rows(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write ``rows`` to a file that was opened with ``newline=""``; no cell is a formula."""
    csv.writer(file).writerows([safe_cell(value) for value in row] for row in rows)


def safe_cell(value: object) -> object:
    """Return ``value``; a text that a spreadsheet would take for a formula with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value
