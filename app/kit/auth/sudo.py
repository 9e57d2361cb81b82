"""Ask for the password again before a sensitive action, without losing what was typed.

Somebody who finds an unlocked computer or steals a cookie has a session but not the password. A POST that is
stopped here leaves its fields in the session. After the password was given, the form shows them again for the user
to submit.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, current_app, flash, g, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.kit.http.redirects import local_referrer

P = ParamSpec("P")
R = TypeVar("R")

_KEY = "interrupted_form"
# The session is a cookie, and browsers limit a cookie to 4 KB.
_MAX_KEPT_CHARACTERS = 2000


def init_app(app: Flask, password_is_recent: Callable[[], bool]) -> None:
    """Let ``password_is_recent`` tell whether the logged-in user of this request gave the password lately."""
    app.extensions["password_is_recent"] = password_is_recent


def sudo_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Run ``view`` only for users who gave their password recently; redirect others to give it first.

    ``login_manager.refresh_view`` names the page that asks. Put this decorator below those that check permissions.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if gave_password_lately():
            return view(*args, **kwargs)
        return redirect(password_page(interrupt()))

    return guarded


def take_interrupted_form() -> MultiDict[str, str] | None:
    """Return the fields of a form on this page that was stopped, and remove them from the session; None without one."""
    if request.method == "GET" and "refused_fields" in g:
        return MultiDict(g.pop("refused_fields"))
    kept = session.get(_KEY)
    if kept is None or kept["path"] != request.path or request.method != "GET":
        return None
    session.pop(_KEY)
    return MultiDict(kept["fields"])


def gave_password_lately() -> bool:
    """Return whether the user gave the password recently, for a view that asks for it in its own way."""
    # current_user first: Flask-Login reads the cookie only when it is used.
    return bool(current_user.is_authenticated and current_app.extensions["password_is_recent"]())


def show_typed_fields_again() -> None:
    """Let the next form of this request contain what was typed, except passwords."""
    g.refused_fields = _typed_fields()


def interrupt() -> str:
    """Keep the fields of a form that is stopped for another page, and return the URL to which that page leads back."""
    came_from = request.full_path.rstrip("?")
    if request.method != "GET":
        came_from = _page_of_form()
        _keep_form(came_from)
    return came_from


def password_page(back: str) -> str:
    """Return the URL of the page that asks for the password and then redirects to ``back``."""
    refresh_view = current_app.login_manager.refresh_view  # type: ignore[attr-defined]
    return url_for(refresh_view, next=back)


def _page_of_form() -> str:
    """Return the URL of the page with the form: the request's own if it accepts GET, else the referrer."""
    if request.url_rule is not None and "GET" in (request.url_rule.methods or ()):
        return request.full_path.rstrip("?")
    return local_referrer(fallback="/")


def _keep_form(page: str) -> None:
    fields = _typed_fields()
    if len(json.dumps(fields)) > _MAX_KEPT_CHARACTERS:
        flash("What you typed was too long to keep. Go back in your browser to copy it.", "warning")
    else:
        session[_KEY] = {"path": page.partition("?")[0], "fields": fields}


def _typed_fields() -> list[tuple[str, str]]:
    return [(name, text) for name, text in request.form.items(multi=True) if not _is_secret(name)]


def _is_secret(name: str) -> bool:
    """Return whether a field must stay out of the session cookie, which is signed but not encrypted."""
    return "password" in name or name == "csrf_token"
