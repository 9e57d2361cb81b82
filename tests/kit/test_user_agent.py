"""Browsers by their names, and nothing that a stranger wrote."""

import pytest

from app.kit.user_agent import browser_label

MOZILLA = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (f"{MOZILLA} (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (f"{MOZILLA} (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15) Version/26.0 Safari/605.1.15", "Safari on macOS"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 26_0 like Mac OS X) CriOS/142.0 Safari/604.1", "Chrome on iPhone"),
        (f"{MOZILLA} (Linux; Android 16) Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.10", "curl"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>\r\nX: y", "Unknown browser"),
    ],
)
def test_a_browser_has_a_name(user_agent: str, label: str) -> None:
    assert browser_label(user_agent) == label
