"""When each job of the schedule ran last, and when it is due next."""

from datetime import datetime

from sqlalchemy import String, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.db.clock import database_now
from app.kit.db.database import UTCDateTime, changed_rows


class ScheduledJob(Model):
    """One row of the schedule; what it runs, and how often, stands in jobs.py.

    The worker's own sweep has a row too, without a next run: it is the worker's sign of life.
    """

    __tablename__ = "scheduled_jobs"
    __table_args__ = ()

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_run_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_run_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @classmethod
    def now(cls) -> datetime:
        """Return the present moment by the database's clock."""
        return db.session.scalars(select(database_now())).one()

    @classmethod
    def plan(cls, name: str, next_run_at: datetime | None) -> None:
        """See to it that ``name`` has a row, and runs no later than ``next_run_at``; the caller commits.

        An earlier time that is already planned stays: a run that was missed is caught up.
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
            # Another worker, started at the same moment, was faster.
            db.session.expire_all()

    @classmethod
    def due_names(cls) -> list[str]:
        """Return the names of all rows whose time has come."""
        return list(db.session.scalars(select(cls.name).where(cls.next_run_at <= database_now())))

    @classmethod
    def take(cls, name: str, next_run_at: datetime) -> bool:
        """Take the due run of ``name`` and plan the next; the caller commits.

        However many workers try at once, one succeeds. Runs that were missed meanwhile count as
        this one.
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
        """Note that ``name`` ran just now, at most once in ``every_seconds``; the caller commits."""
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
        """Return when ``name`` ran last."""
        return db.session.scalar(select(cls.last_run_at).where(cls.name == name))
