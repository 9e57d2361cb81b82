"""Access rules: for a whole area, or stated above one view."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import abort, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.extensions import login_manager
from app.models import Permission

P = ParamSpec("P")
R = TypeVar("R")


def require_login() -> Response | None:
    """Answer where to send who is not logged in, or whose account is not confirmed; None lets pass.

    ``area.before_request(require_login)`` closes a whole area.
    """
    if not current_user.is_authenticated:
        return login_manager.unauthorized()  # type: ignore[no-any-return]
    if not current_user.confirmed:
        return redirect(url_for("account.unconfirmed"))
    return None


def permission_required(permission: int) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let only users with ``permission`` in: 403 for others, and strangers are sent to log in first."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            refusal = require_login()
            if refusal is not None:
                return refusal
            if not current_user.can(permission):
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return decorate


def admin_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Let only administrators in."""
    return permission_required(Permission.ADMINISTER)(view)
