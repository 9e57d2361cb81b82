"""The figures on the dashboard, each with the list that it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, url_for
from flask_login import current_user
from sqlalchemy import func, select

from app.extensions import db
from app.figures import chart_days, counted
from app.kit.db.database import utc_now
from app.kit.mail.rows import EmailState
from app.kit.pages.chart import Bar
from app.kit.pages.table import COUNTED
from app.models import USER_STATES, DailyFigure, Email
from app.models.daily_figure import SIGN_UPS

USERS, EMAILS = "admin.registered_users", "admin.emails"


@dataclass(frozen=True)
class Figure:
    """A number in words, and the list that it counts."""

    label: str
    text: str
    endpoint: str
    query: Mapping[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The URL of the list."""
        return url_for(self.endpoint, **self.query)


@dataclass(frozen=True)
class Figures:
    """What the site's figures were at ``counted_at``; the sign-ups are those of each day."""

    counted_at: datetime
    numbers: Mapping[str, int]
    sign_ups: list[Bar]

    @classmethod
    def latest(cls) -> "Figures":
        """Return the stored figures or, before the schedule has run for the first time, count them."""
        days = chart_days()
        rows = DailyFigure.latest(days[0]) or counted()
        newest = max(rows, key=lambda row: (row.day, row.counted_at))
        signed_up = {row.day: row.value for row in rows if row.name == SIGN_UPS}
        bars = [Bar(f"{day.day} {day:%B}", signed_up.get(day, 0)) for day in days]
        return cls(newest.counted_at, {row.name: row.value for row in rows if row.day == newest.day}, bars)

    def of_users(self) -> list[Figure]:
        """Return the figures about users."""
        active, unconfirmed, invited, disabled = counts = [self.numbers.get(state, 0) for state in USER_STATES]
        share = f"{100 * active / (active + unconfirmed):.0f}%" if active + unconfirmed else "–"
        return [
            Figure("Users", f"{sum(counts):,}", USERS, {"sort": "joined", "direction": "desc"}),
            Figure("Confirmed", share, USERS, {"state": "active"}),
            Figure("Not confirmed yet", f"{unconfirmed:,}", USERS, {"state": "unconfirmed"}),
            Figure("Invited, not joined yet", f"{invited:,}", USERS, {"state": "invited"}),
            Figure("Disabled", f"{disabled:,}", USERS, {"state": "disabled"}),
            *(self._active(days) for days in current_app.config["ACTIVE_USER_DAYS"]),
        ]

    def _active(self, days: int) -> Figure:
        since = (utc_now() - timedelta(days=days)).astimezone(current_user.zone).date()
        query = {"event": "user.logged_in", "from": since.isoformat()}
        label = "Active in the last day" if days == 1 else f"Active in {days} days"
        return Figure(label, f"{self.numbers.get(f'active_{days}', 0):,}", "admin.audit", query)

    def of_work(self, waiting: int) -> list[Figure]:
        """Return the figures about emails and jobs; ``waiting`` emails are pending."""
        sent, failed = self.numbers.get("sent", 0), self.numbers.get("failed_jobs")
        return [
            Figure("Emails sent today (UTC)", f"{sent:,}", EMAILS, {"state": EmailState.SENT.value}),
            Figure("Emails waiting", capped(waiting), EMAILS, {"state": EmailState.PENDING.value}),
            Figure("Failed jobs", f"{failed:,}" if failed is not None else "–", "admin.jobs"),
        ]


def emails_in(*states: EmailState) -> Sequence[int]:
    """Return how many emails are in each of these states, as of now; more than COUNTED are not counted."""
    rows = (select(Email.id).where(Email.state == state).limit(COUNTED + 1).subquery() for state in states)
    return db.session.execute(select(*(select(func.count(one.c.id)).scalar_subquery() for one in rows))).one()


def capped(number: int) -> str:
    """Return a number of :func:`emails_in` in words."""
    return f"more than {COUNTED:,}" if number > COUNTED else f"{number:,}"
