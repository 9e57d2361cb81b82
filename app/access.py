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
    refuse = _refuser(rule)
    return refuse() if refuse else None


def may_see_link(endpoint: str) -> bool:
    """Return whether a menu should offer ``endpoint`` to the current user.

    Unconfirmed users see the links for users: each redirects to the page that asks for the confirmation.
    """
    rule = rule_of(endpoint)
    return _refuser(rule) in ({None, _ask_to_confirm} if isinstance(rule, Who) else {None})


def _refuser(rule: Rule) -> Callable[[], Response] | None:
    """Return the function that refuses the current user, or None if ``rule`` admits them."""
    if rule is ANYONE or (rule is NEWCOMERS and newcomer_email() is not None):
        return None
    if rule is VISITORS:
        return _send_home if current_user.is_authenticated else None
    if not current_user.is_authenticated:
        return _ask_to_log_in
    if rule in {UNCONFIRMED, NEWCOMERS}:
        return None
    if not current_user.confirmed:
        return _ask_to_confirm
    return _forbid if isinstance(rule, int) and not current_user.can(rule) else None


def _send_home() -> Response:
    flash("You are already logged in.", "info")
    return redirect(url_for("main.index"))


def _ask_to_log_in() -> Response:
    response: Response = login_manager.unauthorized()
    return response


def _ask_to_confirm() -> Response:
    return redirect(url_for("account.unconfirmed"))


def _forbid() -> Response:
    abort(403)
