"""The figures on the dashboard, each with the list that it counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask import current_app, url_for
from flask_login import current_user
from sqlalchemy import func, select

from app.extensions import db
from app.figures import chart_days, counted
from app.kit.db.database import utc_now
from app.kit.mail.rows import EmailState
from app.kit.pages.chart import Bar
from app.kit.pages.table import COUNTED
from app.models import DailyFigure, Email
from app.models.daily_figure import SIGN_UPS


@dataclass(frozen=True)
class Figure:
    """A number in words, and the URL of the list that it counts."""

    label: str
    text: str
    url: str


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
        get = self.numbers.get
        active, unconfirmed, invited, disabled = (
            get(state, 0) for state in ("active", "unconfirmed", "invited", "disabled")
        )
        share = f"{100 * active / (active + unconfirmed):.0f} %" if active + unconfirmed else "–"
        return [
            Figure(
                "Users",
                f"{active + unconfirmed + invited + disabled:,}",
                _users({"sort": "joined", "direction": "desc"}),
            ),
            Figure("Confirmed", share, _users({"state": "active"})),
            Figure("Not confirmed yet", f"{unconfirmed:,}", _users({"state": "unconfirmed"})),
            Figure("Invited, not joined yet", f"{invited:,}", _users({"state": "invited"})),
            Figure("Disabled", f"{disabled:,}", _users({"state": "disabled"})),
            *(self._active(days) for days in current_app.config["ACTIVE_USER_DAYS"]),
        ]

    def _active(self, days: int) -> Figure:
        since = (utc_now() - timedelta(days=days)).astimezone(current_user.zone).date()
        url = _list("admin.audit", {"event": "user.logged_in", "from": since.isoformat()})
        label = "Active in the last day" if days == 1 else f"Active in {days} days"
        return Figure(label, f"{self.numbers.get(f'active_{days}', 0):,}", url)

    def of_work(self) -> list[Figure]:
        """Return the figures about emails and jobs."""
        waiting, failed = in_state(EmailState.PENDING), self.numbers.get("failed_jobs")
        return [
            Figure("Emails sent today (UTC)", f"{self.numbers.get('sent', 0):,}", _emails(EmailState.SENT)),
            Figure("Emails waiting", capped(waiting), _emails(EmailState.PENDING)),
            Figure("Failed jobs", f"{failed:,}" if failed is not None else "–", url_for("admin.jobs")),
        ]


def in_state(state: EmailState) -> int:
    """Return how many emails are in this state, as of now; more than COUNTED are not counted."""
    few = select(Email.id).where(Email.state == state).limit(COUNTED + 1)
    return db.session.scalar(select(func.count()).select_from(few.subquery())) or 0


def capped(number: int) -> str:
    """Return a number of :func:`in_state` in words."""
    return f"more than {COUNTED:,}" if number > COUNTED else f"{number:,}"


def _users(query: Mapping[str, str]) -> str:
    return _list("admin.registered_users", query)


def _emails(state: EmailState) -> str:
    return _list("admin.emails", {"state": state.value})


def _list(endpoint: str, query: Mapping[str, str]) -> str:
    return f"{url_for(endpoint)}?{urlencode(query)}"
