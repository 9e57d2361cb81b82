"""The decorators that flask-base's views know; new views say ``@access(...)`` (access.py)."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from werkzeug.wrappers import Response

from app.access import access, refusal
from app.models import Permission

P = ParamSpec("P")
R = TypeVar("R")


def permission_required(permission: int) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let only users with ``permission`` in: 403 for others, and anonymous visitors are sent to log in first.

    Unlike ``access`` it also checks at each call, so it may stand above a method of a class, too.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            return refusal(permission) or view(*args, **kwargs)

        return access(permission)(guarded)

    return decorate


def admin_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Let only administrators in."""
    return permission_required(Permission.ADMINISTER)(view)
