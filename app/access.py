"""Who may open which page: one decorator for each view, and one check before every request.

Access is denied by default. A view without a rule uses the rule of its area, and an area without one is
for confirmed users. A forgotten decorator closes a page instead of opening it.
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
    """A group of visitors, by login and confirmation. Permissions control everything beyond that."""

    ANYONE = "anyone"
    VISITORS = "anonymous visitors; others are redirected to the home page"
    UNCONFIRMED = "users who are logged in, even if unconfirmed"
    NEWCOMERS = "the same, and visitors who signed up in this browser"
    USERS = "users who are logged in and confirmed"


ANYONE, VISITORS, UNCONFIRMED, NEWCOMERS, USERS = Who

# One of the above, or the permission that a user needs for the page.
Rule = Who | int


def access(rule: Rule) -> Callable[[Marked], Marked]:
    """Set the rule of a view, or of all views of a blueprint that have none of their own."""

    def mark(marked: Marked) -> Marked:
        setattr(marked, _MARK, rule)
        return marked

    return mark


def init_app(app: Flask) -> None:
    """Check the access rule before every request. Call this after all other ``before_request`` checks."""
    app.before_request(_check_request)


def _check_request() -> Response | None:
    # No endpoint matches an unknown URL; Flask returns its 404.
    return None if request.endpoint is None else refusal(rule_of(request.endpoint))


def rule_of(endpoint: str) -> Rule:
    """Return the rule of an endpoint: that of its view, else of its area, else ``USERS``."""
    area = current_app.blueprints.get(endpoint.rpartition(".")[0])
    view = current_app.view_functions[endpoint]
    rule: Rule = getattr(view, _MARK, getattr(area, _MARK, USERS))
    return rule


def refusal(rule: Rule) -> Response | None:
    """Return None if ``rule`` admits the current user, else a redirect. Aborts with 403 if a permission is missing."""
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
    flash(f"You are already logged in as {current_user.email}.", "info")
    return redirect(url_for("main.index"))


def may_see_link(endpoint: str) -> bool:
    """Return whether a menu should offer ``endpoint`` to the current user.

    Unconfirmed users see the links for users: each redirects to the page that asks for the confirmation.
    """
    rule = rule_of(endpoint)
    if rule is ANYONE:
        return True
    if rule is VISITORS:
        return not current_user.is_authenticated
    return bool(current_user.is_authenticated) and (isinstance(rule, Who) or current_user.can(rule))
