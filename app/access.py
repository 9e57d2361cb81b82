"""Who may open which page: one decorator above each view, and one check of every request.

Closed by default: a view that says nothing follows the rule of its area, and an area that says
nothing is for users. Forgetting a decorator locks a page instead of opening it.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from flask import Blueprint, Flask, abort, current_app, flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.extensions import login_manager
from app.newcomer import newcomer_email

Marked = TypeVar("Marked", bound=Callable[..., Any] | Blueprint)

_MARK = "access_rule"


class Who(Enum):
    """People by how far they have come; who may do more is told by a permission."""

    ANYONE = "anyone"
    VISITORS = "who is not logged in; others are sent home"
    UNCONFIRMED = "who is logged in, even before the account is confirmed"
    NEWCOMERS = "the same, and visitors who signed up in this browser"
    USERS = "who is logged in and confirmed"


ANYONE, VISITORS, UNCONFIRMED, NEWCOMERS, USERS = Who

# One of the above, or the permission that opens the page to who holds it.
Rule = Who | int


def access(rule: Rule) -> Callable[[Marked], Marked]:
    """Open a view, or each view of a blueprint that has no rule of its own, to the people of ``rule``."""

    def mark(marked: Marked) -> Marked:
        setattr(marked, _MARK, rule)
        return marked

    return mark


def init_app(app: Flask) -> None:
    """Check every request; call this after whatever refuses requests for another reason."""
    app.before_request(_check_request)


def _check_request() -> Response | None:
    # An address that does not exist is nobody's: it gets its 404.
    return None if request.endpoint is None else refusal(rule_of(request.endpoint))


def rule_of(endpoint: str) -> Rule:
    """Return the rule of an endpoint: its view's, else its area's, else ``USERS``."""
    area = current_app.blueprints.get(endpoint.rpartition(".")[0])
    view = current_app.view_functions[endpoint]
    rule: Rule = getattr(view, _MARK, getattr(area, _MARK, USERS))
    return rule


def refusal(rule: Rule) -> Response | None:
    """Return where to send the current user, whom ``rule`` keeps out, or None; abort with 403 for a permission."""
    if rule is ANYONE:
        return None
    if rule is VISITORS:
        return _send_home() if current_user.is_authenticated else None
    if rule is NEWCOMERS and newcomer_email() is not None:
        return None
    if not current_user.is_authenticated:
        response: Response = login_manager.unauthorized()
        return response
    if rule in {UNCONFIRMED, NEWCOMERS}:
        return None
    if not current_user.confirmed:
        return redirect(url_for("account.unconfirmed"))
    if isinstance(rule, int) and not current_user.can(rule):
        abort(403)
    return None


def _send_home() -> Response:
    flash("You are already logged in.", "info")
    return redirect(url_for("main.index"))


def may_see_link(endpoint: str) -> bool:
    """Return whether a menu should offer ``endpoint`` to the current user.

    An unconfirmed user sees the links of users: they lead to the page that says what is missing.
    """
    rule = rule_of(endpoint)
    if rule is ANYONE:
        return True
    if rule is VISITORS:
        return not current_user.is_authenticated
    return bool(current_user.is_authenticated) and (isinstance(rule, Who) or current_user.can(rule))
