"""Initials of names of all kinds."""

import pytest

from app.kit.pages.initials import initials


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("ada king of lovelace", "AL"),
        ("Ada", "A"),
        ("", ""),
        ("— …", ""),
        ("“Ada” (Countess)", "AC"),
        ("ßeta", "S"),
        ("山田 太郎", "山太"),
        ("é\u0301milie du Châtelet", "ÉC"),
        ("<b>Ada</b>", "B"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters
