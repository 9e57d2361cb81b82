"""The last and next run of each scheduled job."""

from datetime import datetime

from sqlalchemy import String, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.db.clock import database_now
from app.kit.db.database import UTCDateTime, changed_rows


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
        row = db.session.get(cls, name)
        if row is None:
            cls._insert(name, next_run_at)
        elif next_run_at and (row.next_run_at is None or row.next_run_at > next_run_at):
            row.next_run_at = next_run_at

    @classmethod
    def _insert(cls, name: str, next_run_at: datetime | None) -> None:
        try:
            with db.session.begin_nested():
                db.session.add(cls(name=name, next_run_at=next_run_at))
        except IntegrityError:
            # Another worker inserted the row at the same time.
            db.session.expire_all()

    @classmethod
    def due_names(cls) -> list[str]:
        """Return the names of all jobs that are due."""
        return list(db.session.scalars(select(cls.name).where(cls.next_run_at <= database_now())))

    @classmethod
    def take(cls, name: str, next_run_at: datetime) -> bool:
        """Claim the due run of ``name`` and plan the next one. The caller commits.

        Returns True for only one of several workers. Several missed runs count as one.
        """
        taking = (
            update(cls)
            .where(cls.name == name, cls.next_run_at <= database_now())
            .values(next_run_at=next_run_at, last_run_at=database_now())
            .execution_options(synchronize_session=False)
        )
        return changed_rows(db.session.execute(taking)) == 1

    @classmethod
    def note_run(cls, name: str, every_seconds: float) -> None:
        """Store that ``name`` ran just now, at most once in ``every_seconds``. The caller commits."""
        is_old = cls.last_run_at.is_(None) | (cls.last_run_at < database_now(-every_seconds))
        noting = (
            update(cls)
            .where(cls.name == name, is_old)
            .values(last_run_at=database_now())
            .execution_options(synchronize_session=False)
        )
        db.session.execute(noting)

    @classmethod
    def last_run(cls, name: str) -> datetime | None:
        """Return when ``name`` ran last, or None."""
        return db.session.scalar(select(cls.last_run_at).where(cls.name == name))
