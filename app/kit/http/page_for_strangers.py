"""A page that looks the same to everybody who is not logged in: rendered once per process, then remembered."""

from collections.abc import Callable
from functools import wraps

from flask import current_app, request, session

from app.kit.http.security_headers import has_own_policy

# What a browser without a session sends: nothing, or the colors it chose (templating.color_theme).
COOKIES = {"", "theme=light", "theme=dark"}
# A landing page has three; behind some proxies anybody can send another SCRIPT_NAME with each request.
MOST_PAGES = 100


def same_for_strangers(view: Callable[[], str]) -> Callable[[], str]:
    """Keep the page that ``view`` answers for browsers without a session.

    For a landing page: what it says may depend on nothing but its address. A page that asked the database or wrote
    into the session, as one with a form does, is never kept, nor is an answer that is more than its text, such
    as a redirect. While templates are reloaded nothing is.
    """

    @wraps(view)
    def answer() -> str:
        # Looking at the session also tells caches on the way ("Vary") that cookies make a difference.
        sent = request.environ
        cookies = sent.get("HTTP_COOKIE", "")
        if session or cookies not in COOKIES or request.query_string or current_app.debug or current_app.testing:
            return view()
        pages: dict[tuple[str, ...], str] = current_app.extensions.setdefault("pages_for_strangers", {})
        key = (sent.get("HTTP_HOST", ""), sent.get("SCRIPT_NAME", ""), request.path, cookies)
        page = pages.get(key)
        if page is None:
            page = view()
            if isinstance(page, str) and _is_for_anybody():
                if len(pages) >= MOST_PAGES:
                    pages.clear()
                pages[key] = page
        return page

    return answer


def _is_for_anybody() -> bool:
    asked_database = current_app.extensions["sqlalchemy"].session.registry.has()
    return not (asked_database or has_own_policy() or session.modified)
