"""Asking for the password again before something that matters, without losing what was typed.

Who finds an unlocked computer, or steals a cookie, holds a session but not the password. A POST
that is stopped here leaves its fields in the session; after the password the form shows them
again, to be sent anew.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import current_app, flash, g, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.kit.http.redirects import local_referrer

P = ParamSpec("P")
R = TypeVar("R")

_KEY = "interrupted_form"
# The session lives in a cookie, of which browsers keep 4 KB.
_MAX_KEPT_CHARACTERS = 2000


def sudo_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Let only who gave the password lately through to ``view``; send others to give it first.

    ``login_manager.refresh_view`` names the page that asks. It stands below every decorator that
    decides who may come at all.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if gave_password_lately():
            return view(*args, **kwargs)
        return _ask_for_password()

    return guarded


def take_interrupted_form() -> MultiDict[str, str] | None:
    """Answer, once, the fields of a form on this page that was stopped on its way."""
    kept = session.get(_KEY)
    if kept is None or kept["path"] != request.path or request.method != "GET":
        return None
    session.pop(_KEY)
    return MultiDict(kept["fields"])


def gave_password_lately() -> bool:
    """Return whether the user gave the password lately, for a view that asks for it in its own way."""
    # Flask-Login looks at the cookie only when someone asks for the user.
    return current_user.is_authenticated and g.user_session.is_recent_login


def _ask_for_password() -> Response:
    came_from = request.full_path.rstrip("?")
    if request.method != "GET":
        came_from = _page_of_form()
        _keep_form(came_from)
    return redirect(password_page(came_from))


def password_page(back: str) -> str:
    """Return the address that asks for the password and then leads ``back``."""
    refresh_view = current_app.login_manager.refresh_view  # type: ignore[attr-defined]
    return url_for(refresh_view, next=back)


def _page_of_form() -> str:
    """Answer the page that showed the form: mostly its own address, else where the button stood."""
    if request.url_rule is not None and "GET" in (request.url_rule.methods or ()):
        return request.full_path.rstrip("?")
    return local_referrer(fallback="/")


def _keep_form(page: str) -> None:
    fields = [[name, text] for name, text in request.form.items(multi=True) if not _is_secret(name)]
    if len(json.dumps(fields)) > _MAX_KEPT_CHARACTERS:
        flash("What you typed was too long to keep. Go back in your browser to copy it.", "warning")
    else:
        session[_KEY] = {"path": page.partition("?")[0], "fields": fields}


def _is_secret(name: str) -> bool:
    """The cookie is signed, not encrypted."""
    return "password" in name or name == "csrf_token"
