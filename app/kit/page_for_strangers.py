"""A page that looks the same to everybody who is not logged in: rendered once per process, then remembered."""

from collections.abc import Callable
from functools import wraps

from flask import current_app, g, request, session

# What a browser without a session sends: nothing, or the colors it chose (templating.color_theme).
COOKIES = {"", "theme=light", "theme=dark"}


def same_for_strangers(view: Callable[[], str]) -> Callable[[], str]:
    """Keep the page that ``view`` answers for browsers without a session.

    For a landing page: what it says may depend on nothing but its address. A page that asked the database or wrote
    into the session, as one with a form does, is never kept. While templates are reloaded nothing is.
    """

    @wraps(view)
    def answer() -> str:
        # Looking at the session also tells caches on the way ("Vary") that cookies make a difference.
        cookies = request.environ.get("HTTP_COOKIE", "")
        if session or cookies not in COOKIES or request.query_string or current_app.debug or current_app.testing:
            return view()
        pages: dict[tuple[str, ...], str] = current_app.extensions.setdefault("pages_for_strangers", {})
        key = (request.root_path, request.path, cookies)
        if key in pages:
            return pages[key]
        page = view()
        if _is_for_anybody():
            pages[key] = page
        return page

    return answer


def _is_for_anybody() -> bool:
    asked_database = current_app.extensions["sqlalchemy"].session.registry.has()
    has_own_policy = "csp_nonce" in g or "csp_sources" in g
    return not (asked_database or has_own_policy or session.modified)
