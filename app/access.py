"""Who may open which page: one decorator for each view, and one check before every request.

Access is denied by default. A view without a rule uses the rule of its area, and an area without one is
for confirmed users. A forgotten decorator closes a page instead of opening it.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

from flask import Blueprint, Flask, abort, current_app, flash, g, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import consent, impersonation
from app.extensions import login_manager
from app.kit.http.redirects import safe_next
from app.models import AnonymousUser, User, UserSession, must_have_second_factor
from app.newcomer import newcomer_email

Marked = TypeVar("Marked", bound=Callable[..., Any] | Blueprint)

_MARK = "access_rule"


# What a session without a second factor may open where SECOND_FACTOR_REQUIRED demands one: the pages that set it up,
# leaving, and what every page loads. Mailed links, pages of the login and the mailbox of development stay open, too.
SET_UP_PAGES = {
    "account.security",
    "account.authenticator_app",
    "account.new_passkey",
    "account.recovery_codes",
    "account.download_recovery_codes",
    "account.picture_file",
    # The terms, to which they may have to agree first.
    "account.agree",
    "main.page",
    "main.about",
    # Leaving: nobody has to set anything up, or agree to anything, to go with their data.
    "account.exports",
    "account.request_export",
    "account.download_export",
    "account.delete_account",
    "main.favicon",
    "main.manifest",
    "main.robots",
    "static",
} | impersonation.WAYS_BACK
_AFTER_SET_UP = "after_set_up"


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
    if impersonation.is_claimed() and (response := impersonation.check_request()):
        return response
    # No endpoint matches an unknown URL; Flask returns its 404.
    if request.endpoint is None:
        return None
    rule = rule_of(request.endpoint)
    return refusal(rule) or _check_second_factor(request.endpoint, rule) or _check_consent(rule)


def _check_second_factor(endpoint: str, rule: Rule) -> Response | None:
    """Redirect a session without the second factor that is demanded of its owner to where it is set up."""
    if not _waits_for_set_up(endpoint, rule) or not must_set_up():
        return None
    return demand_set_up(request.full_path.rstrip("?") if request.method == "GET" else "")


def _waits_for_set_up(endpoint: str, rule: Rule) -> bool:
    """Return whether a page opens only after the second factor that is demanded was set up."""
    if endpoint in SET_UP_PAGES or rule in {VISITORS, UNCONFIRMED, NEWCOMERS}:
        return False
    return rule is not ANYONE or not endpoint.startswith(("account.", "dev."))


def must_set_up() -> bool:
    """Return whether the current user lacks a second factor that is demanded."""
    is_demanded = current_app.config["SECOND_FACTOR_REQUIRED"] != "none"
    return is_demanded and bool(current_user.is_authenticated) and is_set_up_demanded(g.user_session)


def is_set_up_demanded(own: UserSession) -> bool:
    """Return whether the session of somebody lacks a second factor that SECOND_FACTOR_REQUIRED demands.

    The session of an administrator who looks at the site as another user is the administrator's own.
    """
    return not own.has_two_factors and must_have_second_factor(own.user)


def demand_set_up(back_to: str) -> Response:
    """Redirect to where a second factor is set up, and from there to the path ``back_to``."""
    if back_to:
        session[_AFTER_SET_UP] = back_to
    return redirect(url_for("account.security"))


def after_set_up(fallback: str) -> str:
    """Return the path to which to go on after a second factor was set up."""
    return safe_next(session.pop(_AFTER_SET_UP, None), fallback)


def _check_consent(rule: Rule) -> Response | None:
    """Ask users for their consent before they change something. Nobody can give it for somebody else."""
    if request.method in impersonation.READING or rule in {ANYONE, VISITORS} or not current_user.is_authenticated:
        return None
    return consent.ask_again() if impersonation.current() is None else None


def rule_of(endpoint: str) -> Rule:
    """Return the rule of an endpoint: that of its view, else of its area, else ``USERS``."""
    return _rule(current_app.view_functions, current_app.blueprints, endpoint)


def _rule(views: Mapping[str, object], areas: Mapping[str, object], endpoint: str) -> Rule:
    own: Rule | None = getattr(views[endpoint], _MARK, None)
    return getattr(areas.get(endpoint.rpartition(".")[0]), _MARK, USERS) if own is None else own


def refusal(rule: Rule) -> Response | None:
    """Return None if ``rule`` admits the current user, else a redirect. Aborts with 403 if a permission is missing."""
    if rule is ANYONE or (rule is NEWCOMERS and newcomer_email() is not None):
        return None
    user = current_user._get_current_object()
    is_admitted = _is_for(rule, user)
    if rule is VISITORS:
        return None if is_admitted else _send_home()
    if not user.is_authenticated:
        response: Response = login_manager.unauthorized()
        return response
    if rule not in {UNCONFIRMED, NEWCOMERS} and not user.confirmed:
        return redirect(url_for("account.unconfirmed"))
    return None if is_admitted else abort(403)


def _is_for(rule: Rule, user: User | AnonymousUser) -> bool:
    """Return whether a page with this rule is for ``user``, once their address is confirmed."""
    if rule is ANYONE or rule is VISITORS:
        return rule is ANYONE or not user.is_authenticated
    return user.is_authenticated and (isinstance(rule, Who) or user.can(rule))


def _send_home() -> Response:
    flash(f"You are already logged in as {current_user.email}.", "info")
    return redirect(safe_next(request.args.get("next"), url_for("main.index")))


def may_open(endpoint: str) -> bool:
    """Return whether a template should link to this endpoint."""
    return link_filter()(endpoint)


def link_filter() -> Callable[[str], bool]:
    """Return a function that tells whether a menu should offer an endpoint to the current user.

    Unconfirmed users see the links for users: each redirects to the page that asks for the confirmation.
    """
    user, looks_as_another = current_user._get_current_object(), impersonation.current() is not None
    views, areas = current_app.view_functions, current_app.blueprints
    is_held = must_set_up()

    def may_see(endpoint: str) -> bool:
        if looks_as_another and impersonation.is_closed(endpoint):
            return False
        rule = _rule(views, areas, endpoint)
        return _is_for(rule, user) and not (is_held and _waits_for_set_up(endpoint, rule))

    return may_see
