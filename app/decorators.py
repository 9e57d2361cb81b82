"""Access rules that a view states above its name."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import abort
from flask_login import current_user

from app.models import Permission

P = ParamSpec("P")
R = TypeVar("R")


def permission_required(permission: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only users with ``permission`` in: 401 (which leads to the login page) for strangers, else 403."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not current_user.is_authenticated:
                abort(401)
            if not current_user.can(permission):
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return decorate


def admin_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let only administrators in."""
    return permission_required(Permission.ADMINISTER)(view)
