"""Tests for browser names; the text of the User-Agent header itself is never shown."""

import pytest

from app.kit.auth.user_agent import browser_label

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("header", "label"),
    [
        (CHROME, "Chrome on Linux"),
        (f"{CHROME} Edg/130.0.0.0", "Edge on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        (
            "Mozilla/5.0 (Linux; Android 14) SamsungBrowser/25.0 Chrome/121.0 Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
    ],
)
def test_a_person_would_call_it_so(header: str, label: str) -> None:
    assert browser_label(header) == label


@pytest.mark.parametrize(
    "header", ["<script>alert(1)</script>", "a\r\nb", "\u202efirefox", "\x00" * 9000, "x" * 100_000]
)
def test_nothing_of_a_made_up_header_shows(header: str) -> None:
    assert browser_label(header) == "Unknown browser"
    assert browser_label(f"{header} Firefox/1") == "Firefox"
