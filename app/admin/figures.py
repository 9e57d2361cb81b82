"""The figures on the dashboard."""

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import ColumnElement, func, select

from app.extensions import db
from app.kit.db.database import utc_now
from app.kit.mail.rows import EmailState
from app.models import Email, User, UserSession


@dataclass(frozen=True)
class Figures:
    """Counts of users, sessions and emails."""

    users: int
    new_users: int
    unconfirmed: int
    invited: int
    disabled: int
    sessions: int
    waiting_emails: int
    dead_emails: int


def current_figures() -> Figures:
    """Count users, recently active sessions, and emails that wait or failed, in three queries."""
    users, new_users, unconfirmed, invited, disabled = db.session.execute(
        select(
            func.count(),
            _count(User.created_at >= utc_now() - current_app.config["NEW_USER_PERIOD"]),
            _count(User.confirmed.is_(False) & User.password_hash.is_not(None)),
            _count(User.password_hash.is_(None)),
            _count(User.disabled_at.is_not(None)),
        ).select_from(User)
    ).one()
    waiting, dead = db.session.execute(
        select(
            _count(Email.state.in_((EmailState.PENDING, EmailState.SENDING))),
            _count(Email.state == EmailState.DEAD),
        ).select_from(Email)
    ).one()
    active_since = utc_now() - current_app.config["ACTIVE_SESSION_PERIOD"]
    seen = select(func.count()).select_from(UserSession).where(UserSession.last_seen_at >= active_since)
    sessions = db.session.scalar(seen) or 0
    return Figures(users, new_users, unconfirmed, invited, disabled, sessions, waiting, dead)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)
