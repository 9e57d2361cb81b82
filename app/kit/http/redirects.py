"""Redirect back to where a visitor came from, and never to another site."""

from typing import Any
from urllib.parse import urlsplit

from flask import redirect, request, url_for
from werkzeug.wrappers import Response


def safe_next(target: str | None, fallback: str) -> str:
    r"""Return ``target`` when it is a plain path on this site, else ``fallback``.

    Browsers drop tabs and line breaks from a URL and read a backslash as a slash, so ``/\t/evil.com`` and
    ``/\evil.com`` leave the site although they begin with one slash.
    """
    return target if target and _is_local_path(target) else fallback


def redirect_to_next(fallback: str) -> Response:
    """Redirect to the request's ``next`` parameter when it is safe, else to ``fallback``."""
    return redirect(safe_next(request.args.get("next"), fallback))


def url_with_next(endpoint: str, **values: Any) -> str:
    """Return the URL of a page that leads on to where this one does: it gets the same ``next``, if there is one."""
    return url_for(endpoint, **values, next=request.args.get("next") or None)


def local_referrer(fallback: str) -> str:
    """Return the path of the page on this site from which the request came, else ``fallback``."""
    origin, referrer = request.host_url, request.referrer or ""
    path = "/" + referrer.removeprefix(origin) if referrer.startswith(origin) else None
    return safe_next(path, fallback)


def _is_local_path(target: str) -> bool:
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return False
    if not target.isascii() or any(character <= " " or character == "\x7f" for character in target):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc
