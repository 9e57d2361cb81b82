"""Tests for CSV files: what a spreadsheet reads is what was written, and nothing of it is a formula."""

import csv
from io import StringIO

import pytest

from app.kit.pages.spreadsheet import safe_cell, write_rows


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\ufeff", "\u00a0 ", "\u3000", "\x00", " \t"])
def test_what_begins_like_a_formula_gets_an_apostrophe(first: str, before: str) -> None:
    text = f"{before}{first}HYPERLINK(A1)"
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Ada", "", "a=b", "x-y", "ada@example.org", "'=1", -1, None])
def test_everything_else_stays(value: object) -> None:
    assert safe_cell(value) == value


def test_quotes_commas_and_lines_survive() -> None:
    rows = [["name", "text"], ['"Ada"', "a,b;c\r\nd\ne"], ["Ärger ☃", " x "]]
    file = StringIO(newline="")
    write_rows(file, rows)
    assert file.getvalue().startswith("name,text\r\n")
    assert list(csv.reader(StringIO(file.getvalue(), newline=""))) == rows
