"""The figures on the dashboard."""

from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from sqlalchemy import ColumnElement, func, select

from app.extensions import db
from app.kit.db.database import utc_now
from app.kit.mail.rows import EmailState
from app.kit.pages.chart import Bar
from app.models import Email, User, UserSession

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Figures:
    """Counts of users, sessions and emails."""

    users: int
    unconfirmed: int
    invited: int
    disabled: int
    sessions: int
    waiting_emails: int
    dead_emails: int


def current_figures() -> Figures:
    """Count users, recently active sessions, and emails that wait or failed, in three queries."""
    users, unconfirmed, invited, disabled = db.session.execute(
        select(
            func.count(),
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
    return Figures(users, unconfirmed, invited, disabled, sessions, waiting, dead)


def sign_ups_by_day() -> list[Bar]:
    """Count the users of each of the last SIGN_UP_CHART_DAYS days in UTC, the oldest first, in one query."""
    tomorrow = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) + ONE_DAY
    days = [tomorrow - ONE_DAY * back for back in range(current_app.config["SIGN_UP_CHART_DAYS"], 0, -1)]
    per_day = [_count((User.created_at >= day) & (User.created_at < day + ONE_DAY)) for day in days]
    # Without this condition, it would read all users.
    numbers = db.session.execute(select(*per_day).where(User.created_at >= days[0])).one()
    return [Bar(f"{day.day} {day:%B}", number) for day, number in zip(days, numbers, strict=True)]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)
