"""Counting what the dashboard shows.

At a million users this takes a second, so a scheduled job does it (`count_figures` in jobs.py), and the dashboard
reads the rows.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

import redis
from flask import current_app
from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select

from app.extensions import db
from app.kit.db.database import Model, utc_now
from app.kit.db.session import count_up_to
from app.kit.jobs.queue_overview import queue_states
from app.kit.mail.rows import EmailState
from app.models import AuditEvent, DailyFigure, Email, User, UserSession
from app.models.daily_figure import SIGN_UPS
from app.models.user import number_of_administrators
from app.models.user_lists import user_state

# The domain of the addresses of fake users and of the default administrator.
SAMPLE_DOMAIN = "@example.com"
MOST_SAMPLE_USERS = 1000


def store(anew: bool = False) -> None:
    """Count what may have changed, and store it; with ``anew`` also the sign-ups of days before. The caller commits."""
    DailyFigure.replace(counted(() if anew else _days_over()))


def _days_over() -> set[date]:
    """Return the days whose sign-ups were counted after they were over: nobody signs up in the past."""
    counted_at = DailyFigure.sign_ups_counted_at(since=chart_days()[0])
    return {day for day, moment in counted_at.items() if moment >= _start_of(day + timedelta(days=1))}


def counted(over: Collection[date] = ()) -> list[DailyFigure]:
    """Return all figures of today, and the sign-ups of the chart's days but those ``over``, without storing them."""
    now = utc_now()
    days = [day for day in chart_days() if day not in over]
    signed_up = db.session.execute(select(*map(_signed_up_on, days))).one()
    today = _users() | _active_users(now) | _emails(days[-1]) | _jobs()
    figures = [(day, SIGN_UPS, number) for day, number in zip(days, signed_up, strict=True)]
    figures += [(days[-1], name, number) for name, number in today.items()]
    return [DailyFigure(day=day, name=name, value=number, counted_at=now) for day, name, number in figures]


def chart_days() -> list[date]:
    """Return the last SIGN_UP_CHART_DAYS days in UTC, today last."""
    today = utc_now().date()
    return [today - timedelta(days=back) for back in reversed(range(current_app.config["SIGN_UP_CHART_DAYS"]))]


def _signed_up_on(day: date) -> ScalarSelect[int]:
    start = _start_of(day)
    return _number_of(User, User.created_at >= start, User.created_at < start + timedelta(days=1)).scalar_subquery()


def _users() -> dict[str, int]:
    """Return the number of users in each state, of administrators, and of those with a sample's address."""
    states = db.session.execute(select(user_state, func.count()).select_from(User).group_by(user_state)).all()
    samples = count_up_to(MOST_SAMPLE_USERS, User.ids_matching(SAMPLE_DOMAIN))
    return dict(states) | {"administrators": number_of_administrators(), "samples": samples}


def _active_users(now: datetime) -> dict[str, int]:
    """Return how many users were here lately. Who logged out has no session any more, but has logged in."""
    figures = {}
    for days in current_app.config["ACTIVE_USER_DAYS"]:
        since = now - timedelta(days=days)
        logged_in = (AuditEvent.event == "user.logged_in") & (AuditEvent.created_at >= since)
        seen = select(UserSession.user_id).where(UserSession.last_seen_at >= since)
        users = seen.union(select(AuditEvent.subject_id).where(logged_in, AuditEvent.subject_id.is_not(None)))
        figures[f"active_{days}"] = _scalar(select(func.count()).select_from(users.subquery()))
    return figures


def _emails(day: date) -> dict[str, int]:
    return {"sent": _scalar(_number_of(Email, Email.state == EmailState.SENT, Email.created_at >= _start_of(day)))}


def _jobs() -> dict[str, int]:
    try:
        return {"failed_jobs": sum(queue.failed for queue in queue_states())}
    except redis.RedisError:
        return {}


def _number_of(model: type[Model], *conditions: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(model).where(*conditions)


def _scalar(query: Select[int]) -> int:
    return db.session.scalar(query) or 0


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
