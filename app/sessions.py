"""Logging in and out: the cookie holds an opaque token, the database says what it is worth."""

from flask import Flask, Response, g, request, session
from flask_login import login_user
from sqlalchemy import update

from app.extensions import db, login_manager
from app.kit.database import utc_now
from app.models import User, UserSession


def init_app(app: Flask) -> None:
    """Tell Flask-Login how to find the user of a cookie, and keep track of when each was last seen."""
    login_manager.init_app(app)
    login_manager.login_view = "account.login"
    login_manager.login_message = "Log in to see this page."
    login_manager.login_message_category = "info"
    # Its own check hashes address and browser on each request; the session's row replaces it.
    login_manager.session_protection = None
    login_manager.user_loader(_load_user)
    app.after_request(_note_last_seen)


def log_in(user: User, remembered: bool = False) -> UserSession:
    """Start a session for ``user`` in this browser; commits.

    Everything the browser held before is dropped, the CSRF token included: a session that
    somebody planted there must not become a logged-in one.
    """
    row, token = UserSession.start(
        user, remembered, ip_address=request.remote_addr or "", user_agent=request.user_agent.string
    )
    db.session.commit()
    session.clear()
    g.pop("csrf_token", None)
    session.permanent = remembered
    user.session_token = token
    login_user(user, force=True)
    g.user_session = row
    return row


def log_out() -> None:
    """End this browser's session on the server and in its cookie; commits."""
    current = current_session()
    if current is not None:
        current.end()
        db.session.commit()
    forget_browser()


def forget_browser() -> None:
    """Empty the browser's cookie and treat the rest of this request as a stranger's."""
    session.clear()
    g.pop("csrf_token", None)
    g.pop("user_session", None)
    g._login_user = login_manager.anonymous_user()


def current_session() -> UserSession | None:
    """Answer the row behind this request's cookie, once the user has been looked at."""
    return g.get("user_session")


def _load_user(token: str) -> User | None:
    row = UserSession.with_token(token)
    if row is None:
        return None
    g.user_session = row
    row.user.session_token = token
    return row.user


def _note_last_seen(response: Response) -> Response:
    """Write the time at most once a minute, after the view is done with its own transaction."""
    row = current_session()
    if row is not None and row in db.session and row.is_due_for_last_seen():
        statement = update(UserSession).where(UserSession.id == row.id).values(last_seen_at=utc_now())
        db.session.rollback()
        db.session.execute(statement)
        db.session.commit()
    return response
