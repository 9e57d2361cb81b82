"""The decorators of older flask-base views. New views use ``@access(...)`` (access.py)."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from werkzeug.wrappers import Response

from app.access import access, refusal
from app.models import Permission

P = ParamSpec("P")
R = TypeVar("R")


def permission_required(permission: int) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Restrict a view to users with ``permission``.

    Other users get 403, and anonymous visitors are redirected to the login page. Unlike ``access``, it also
    checks at each call, so it works on methods too.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            return refusal(permission) or view(*args, **kwargs)

        return access(permission)(guarded)

    return decorate


def admin_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Restrict a view to administrators."""
    return permission_required(Permission.ADMINISTER)(view)
