"""Readable names of browsers, such as "Firefox on Linux"."""

from flask import request

_BROWSERS = (  # most specific first: Edge and Opera also say "Chrome", everyone says "Safari"
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (  # Android also says "Linux", an iPhone also says "Mac OS X"
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_label(user_agent: str) -> str:
    """Return the browser and the system of a User-Agent header, without versions.

    The client controls the header, so the result contains only words of this file: it is safe to show and to mail,
    and short enough for any column.
    """
    browser = _first_match(user_agent, _BROWSERS, "Unknown browser")
    system = _first_match(user_agent, _SYSTEMS, "")
    return f"{browser} on {system}" if system else browser


def _first_match(user_agent: str, marks: tuple[tuple[str, str], ...], otherwise: str) -> str:
    return next((name for mark, name in marks if mark in user_agent), otherwise)


def request_details() -> dict[str, str]:
    """Return the IP address and the browser of the current request, for notices by email."""
    return {"ip_address": request.remote_addr or "", "browser": browser_label(request.user_agent.string)}
