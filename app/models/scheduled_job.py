"""The last and next run of each scheduled job."""

from datetime import datetime

from sqlalchemy import ColumnElement, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.db.clock import database_now
from app.kit.db.database import PLAIN, UTCDateTime, changed_rows, dialect_insert


class ScheduledJob(Model):
    """One row of the schedule. jobs.py says what it runs and how often.

    The worker's sweep has a row too, without a next run. Its last run shows that the worker is alive.
    """

    __tablename__ = "scheduled_jobs"
    __table_args__ = ()

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_run_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_run_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @classmethod
    def now(cls) -> datetime:
        """Return the current time of the database's clock."""
        return db.session.scalars(select(database_now())).one()

    @classmethod
    def plan(cls, name: str, next_run_at: datetime | None) -> None:
        """Insert the row of ``name`` if it is missing, and plan a run no later than ``next_run_at``.

        An earlier planned time stays, so that a missed run is caught up. The caller commits.
        """
        adding = dialect_insert(db.session(), cls).values(name=name, next_run_at=next_run_at)
        db.session.execute(adding.on_conflict_do_nothing())
        if next_run_at:
            is_later = cls.next_run_at.is_(None) | (cls.next_run_at > next_run_at)
            cls._update(name, is_later, next_run_at=next_run_at)

    @classmethod
    def due_names(cls) -> list[str]:
        """Return the names of all jobs that are due."""
        return list(db.session.scalars(select(cls.name).where(cls.next_run_at <= database_now())))

    @classmethod
    def take(cls, name: str, next_run_at: datetime) -> bool:
        """Claim the due run of ``name`` and plan the next one. The caller commits.

        Returns True for only one of several workers. Several missed runs count as one.
        """
        return cls._update(name, cls.next_run_at <= database_now(), next_run_at=next_run_at, last_run_at=database_now())

    @classmethod
    def note_run(cls, name: str, every_seconds: float) -> None:
        """Store that ``name`` ran just now, at most once in ``every_seconds``. The caller commits."""
        is_old = cls.last_run_at.is_(None) | (cls.last_run_at < database_now(-every_seconds))
        cls._update(name, is_old, last_run_at=database_now())

    @classmethod
    def _update(cls, name: str, condition: ColumnElement[bool], **values: object) -> bool:
        changing = update(cls).where(cls.name == name, condition).values(**values)
        return changed_rows(db.session.execute(changing, execution_options=PLAIN)) == 1

    @classmethod
    def last_run(cls, name: str) -> datetime | None:
        """Return when ``name`` ran last, or None."""
        return db.session.scalar(select(cls.last_run_at).where(cls.name == name))
