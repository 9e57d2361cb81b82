"""Who may open which page of the account area; a page that says nothing is for confirmed users."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.account.newcomer import newcomer_email
from app.decorators import require_login
from app.extensions import login_manager

View = TypeVar("View", bound=Callable[..., Any])


def for_anyone(view: View) -> View:
    """Open the page to everybody, logged in or not."""
    return _marked(view, _anyone)


def for_visitors(view: View) -> View:
    """Open the page to who is not logged in; others are sent home."""
    return _marked(view, _visitor)


def for_unconfirmed_too(view: View) -> View:
    """Open the page to who is logged in, even before the account is confirmed."""
    return _marked(view, _logged_in)


def for_newcomers(view: View) -> View:
    """Open the page to who is logged in, and to visitors who signed up in this browser."""
    return _marked(view, _logged_in_or_newcomer)


def check_access() -> Response | None:
    """Answer where to send somebody who may not open the requested page; None lets the request pass."""
    view = current_app.view_functions[request.endpoint or ""]
    return getattr(view, "access_check", require_login)()


def _marked(view: View, access_check: Callable[[], Response | None]) -> View:
    view.access_check = access_check  # type: ignore[attr-defined]
    return view


def _anyone() -> None:
    return None


def _visitor() -> Response | None:
    if current_user.is_authenticated:
        flash("You are already logged in.", "info")
        return redirect(url_for("main.index"))
    return None


def _logged_in() -> Response | None:
    return None if current_user.is_authenticated else login_manager.unauthorized()


def _logged_in_or_newcomer() -> Response | None:
    return None if newcomer_email() is not None else _logged_in()
