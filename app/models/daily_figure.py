"""Figures about the site, such as its users or the sign-ups of a day: one row for each day (UTC) and name."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import String, delete, func, select, tuple_
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.db.database import PLAIN, UTCDateTime

SIGN_UPS = "sign_ups"


class DailyFigure(Model):
    """One figure of one day. `app/figures.py` counts them; today's are replaced until the day is over."""

    __tablename__ = "daily_figures"
    __table_args__ = ()

    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int]
    counted_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @classmethod
    def latest(cls, sign_ups_since: date) -> Sequence["DailyFigure"]:
        """Return all figures of the last day that has some, and the sign-ups of each day, in one query."""
        last_day = select(func.max(cls.day)).scalar_subquery()
        sign_ups = (cls.name == SIGN_UPS) & (cls.day >= sign_ups_since)
        return db.session.scalars(select(cls).where((cls.day == last_day) | sign_ups)).all()

    @classmethod
    def sign_ups_counted_at(cls, since: date) -> dict[date, datetime]:
        """Return when the sign-ups of each day were counted last."""
        query = select(cls.day, cls.counted_at).where(cls.name == SIGN_UPS, cls.day >= since)
        return dict(db.session.execute(query).all())

    @classmethod
    def replace(cls, rows: Sequence["DailyFigure"]) -> None:
        """Store these rows instead of those of the same days and names. The caller commits."""
        former = tuple_(cls.day, cls.name).in_([(row.day, row.name) for row in rows])
        db.session.execute(delete(cls).where(former), execution_options=PLAIN)
        db.session.add_all(rows)
