"""Logging in and out. The cookie holds a random token, and the database the session."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import cast

from flask import Flask, Response, after_this_request, flash, g, redirect, request, session, url_for
from flask_login import current_user, login_user, logout_user
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from app import impersonation
from app.extensions import db, login_manager
from app.kit.auth import known_browser, sudo
from app.kit.auth.guesses import count_action, counted_guess, own_password_limits
from app.kit.auth.limits import signed_in_user
from app.kit.core import metrics
from app.kit.db.database import lock_unchanged, utc_now
from app.kit.http.redirects import local_referrer
from app.models import User, UserSession, Way

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Set up Flask-Login."""
    login_manager.init_app(app)
    login_manager.login_view = "account.login"
    login_manager.refresh_view = "account.confirm_password"
    login_manager.login_message = "Log in to see this page."
    login_manager.login_message_category = "info"
    login_manager.user_loader(_load_user)
    login_manager.unauthorized_handler(_ask_to_log_in)
    sudo.init_app(app, _gave_password_lately)


def log_in(user: User, remembered: bool, ways: Sequence[Way], has_two_factors: bool) -> UserSession:
    """Start a session for ``user``, who proved who they are in these ``ways``, in this browser. The caller commits.

    Only the gate (sign_in.py) calls this. Raises ``StaleDataError`` if the user changed since the proof was checked
    (see ``UserSession.start``). Clears the browser's previous session and CSRF token, so that a session planted by an
    attacker does not become a logged-in one (session fixation).
    """
    row, token = UserSession.start(
        user, remembered, ip_address=request.remote_addr or "", user_agent=request.user_agent.string
    )
    row.ways, row.has_two_factors = ",".join(ways), has_two_factors
    user_id = user.id
    db.session.flush()
    known_browser.remember(user.uid, user.password_mark)
    session.clear()
    g.pop("csrf_token", None)
    session.permanent = remembered
    user.session_token = token
    login_user(user, force=True)
    g.user_session, g.user_id = row, user_id
    metrics.count("logins")
    return row


def verify_own_password(password: str) -> bool:
    """Return whether this is the current user's password, and if so lock the user's row.

    Raises ``StaleDataError`` if the account changed since it was read. With the lock, no other change can happen
    before the caller's.
    """
    count_action("OWN_PASSWORD_FORM_LIMIT", signed_in_user())
    user = current_user._get_current_object()
    verified: bool = counted_guess(own_password_limits(), lambda: user.verify_password(password))
    if verified:
        lock_unchanged(db.session, user)
    return verified


def log_out() -> None:
    """Delete this browser's session from the database, commit, and clear its cookie."""
    current: UserSession | None = g.get("user_session")
    if current is not None:
        current.end()
        db.session.commit()
    forget_browser()


def forget_browser() -> None:
    """Clear the browser's cookie and treat the rest of this request as anonymous."""
    logout_user()
    session.clear()
    for name in ("csrf_token", "user_session", "user_id", "impersonation", "impersonator_id"):
        g.pop(name, None)


def current_session() -> UserSession:
    """Return the session of this browser: of an administrator who looks at the site as another user, the own one.

    Call it only in views for users who are logged in.
    """
    return cast(UserSession, g.user_session)


def _gave_password_lately() -> bool:
    # The password would be the other person's, whose account an administrator cannot change.
    return impersonation.current() is None and current_session().is_recent_login


def _load_user(token: str) -> User | None:
    row = UserSession.with_token(token)
    if row is None or row.impersonator_session_id is not None:
        return None
    g.user_session, g.user_id = row, row.user_id
    if row.is_due_for_last_seen():
        after_this_request(partial(_note_last_seen, row.id))
    row.user.session_token = token
    return impersonation.person_seen_by(row) or row.user


def _ask_to_log_in() -> AnyResponse:
    """Redirect to the login page, and from there back to this page or, after a POST, to the form's page."""
    flash(login_manager.login_message, login_manager.login_message_category)
    page = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else local_referrer("")
    return redirect(url_for(login_manager.login_view, next=page or None))


def _note_last_seen(session_id: int, response: Response) -> Response:
    """Store the time at most once a minute, after the view's own transaction.

    Uses the id, because this request or another browser may have deleted the row meanwhile.
    """
    db.session.rollback()
    try:
        db.session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen_at=utc_now()))
        db.session.commit()
    except SQLAlchemyError as error:  # the response is ready, and must not fail because the database is busy
        db.session.rollback()
        log.warning("last seen was not written: %s", type(error).__name__)
    return response
