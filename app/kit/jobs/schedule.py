"""Jobs that run at fixed times, once per time with any number of workers.

The times are rows in the database: the worker that moves a row from its due time to the next one has taken the
run. RQ's own scheduler keeps the times in each process, so two schedulers enqueue everything twice, and what was
due while none was running is lost.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis

from app.kit.db.session import current_session
from app.kit.jobs.queue import Job

log = logging.getLogger("app.schedule")


@dataclass(frozen=True)
class Entry:
    """A job and its times, in cron's five fields, UTC."""

    job: Job
    cron: str

    @property
    def name(self) -> str:
        """The job's name, by which its times are stored."""
        return self.job.name

    def next_run_after(self, moment: datetime) -> datetime:
        """Return the first time of this entry after ``moment``."""
        # Imported here: only the worker and the page of jobs need it.
        from croniter import croniter

        return croniter(self.cron, moment).get_next(datetime)


class Schedule:
    """The entries of an application; ``rows`` is the model that stores their times."""

    def __init__(self, rows: type[Any], entries: Sequence[Entry]) -> None:
        self.rows = rows
        self.entries = list(entries)

    def add(self, entries: Sequence[Entry]) -> None:
        """Add entries, for example of an area, except those that are known already."""
        self.entries += [entry for entry in entries if entry not in self.entries]

    def plan(self) -> None:
        """Give every entry a row; a new entry waits for its first time."""
        now = self.rows.now()
        for entry in self.entries:
            self.rows.plan(entry.name, entry.next_run_after(now))
        current_session().commit()

    def enqueue_due(self, connection: redis.Redis) -> None:
        """Enqueue what is due. While Redis is unavailable an entry stays due, and runs once later."""
        due_names = set(self.rows.due_names())
        for entry in self.entries:
            if entry.name in due_names:
                self._enqueue(entry, connection)
        current_session().rollback()

    def _enqueue(self, entry: Entry, connection: redis.Redis) -> None:
        try:
            if self.rows.take(entry.name, entry.next_run_after(self.rows.now())):
                # Before the commit: if Redis is unavailable, the run stays due.
                entry.job.enqueue_now(connection=connection)
                log.info("scheduled job enqueued", extra={"fields": {"job": entry.name}})
            current_session().commit()
        except redis.RedisError as error:
            current_session().rollback()
            fields = {"job": entry.name, "error": type(error).__name__}
            log.warning("scheduled job not enqueued, it stays due", extra={"fields": fields})
