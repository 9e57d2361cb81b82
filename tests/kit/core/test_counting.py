"""Tests for numbers with their noun."""

import re
from pathlib import Path

import pytest

from app.kit.core.counting import how_many

APP = Path(__file__).resolve().parents[3] / "app"
# A count beside a plural, such as "{count} rows".
PLURAL = re.compile(
    r"\{[\w.() -]*\b(count|done|hours|left|minutes|number|total)\b[\w.() -]*\}+ (?:\w+ )?"
    r"(?:browser|code|day|email|file|hour|minute|row|secret|session|user)s\b"
)


@pytest.mark.parametrize(("number", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")])
def test_one_is_no_plural(number: int, words: str) -> None:
    assert how_many(number, "row") == words


def test_nothing_says_one_rows() -> None:
    files = [path for kind in ("py", "html", "txt") for path in APP.rglob(f"*.{kind}")]
    assert {path.name: match[0] for path in files if (match := PLURAL.search(path.read_text()))} == {}
