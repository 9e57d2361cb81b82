"""Random faults: the same seed gives the same faults."""

import random
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import DBAPIError

from tests.chaos.site import Site

SMTP_FAULTS = {
    "SMTP answers 451": {"data": "451 later"},
    "SMTP answers 421": {"rcpt": "421 closing"},
    "SMTP answers 550": {"rcpt": "550 no such user"},
    "SMTP stalls": {"data": "stall"},
    "SMTP half-closes": {"data": "close"},
    "SMTP greets slowly": {"connect": "stall"},
}


class Faults:
    """Causes random faults in a site."""

    def __init__(self, site: Site, seed: int, restart_database: Callable[[], None] | None) -> None:
        self._site = site
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._restart_database = restart_database
        self.log: list[str] = []

    def run(self, seconds: float) -> None:
        """Cause one fault after the other for this many seconds."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            fault = self._random.choice(self._possible())
            self.log.append(fault.__name__)
            fault()
            time.sleep(self._random.uniform(0.2, 1.0))
            # Retries and leases take minutes to hours; here they are due at once.
            with suppress(DBAPIError):
                self._site.end_waits()

    def _possible(self) -> list[Callable[[], None]]:
        faults = [
            self.worker_loses_power,
            self.worker_process_dies,
            self.worker_process_dies,
            self.redis_restarts,
            self.redis_freezes,
            self.mail_server_fails,
            self.mail_server_fails,
            self.mail_server_restarts,
        ]
        return [*faults, self.database_restarts if self._restart_database else self.database_is_locked]

    def worker_loses_power(self) -> None:
        self._site.kill_worker()
        time.sleep(self._random.uniform(0, 0.5))
        self._site.start_worker()

    def worker_process_dies(self) -> None:
        processes = self._site.worker_processes()
        if processes:
            self._site.kill_one(self._random.choice(processes))

    def redis_restarts(self) -> None:
        self._site.redis.kill()
        time.sleep(self._random.uniform(0, 1.5))
        self._site.redis.start()

    def redis_freezes(self) -> None:
        self._site.redis.freeze()
        time.sleep(self._random.uniform(0.5, 2))
        self._site.redis.thaw()

    def mail_server_fails(self) -> None:
        name = self._random.choice(sorted(SMTP_FAULTS))
        self.log.append(name)
        self._site.smtp.behavior.update(SMTP_FAULTS[name])
        time.sleep(self._random.uniform(0.5, 1.5))
        self._site.smtp.behavior.clear()

    def mail_server_restarts(self) -> None:
        self._site.smtp.stop()
        # It may stop between accepting a message and confirming it, as when a worker is killed.
        self._site.kills += 1
        time.sleep(self._random.uniform(0, 1))
        self._site.smtp.start()

    def database_restarts(self) -> None:
        assert self._restart_database is not None
        self._restart_database()

    def database_is_locked(self) -> None:
        with self._site.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            time.sleep(self._random.uniform(1, 3))
            connection.rollback()
