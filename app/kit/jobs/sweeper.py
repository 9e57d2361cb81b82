"""The part of the worker that needs no Redis: it polls the database every few seconds.

It delivers emails that no job has delivered (Redis was unavailable, a worker was killed, a retry is due), enqueues
what the schedule has due, and puts failed jobs back into the queue when their wait is over.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import redis
from flask import Flask
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer
from sqlalchemy.exc import DBAPIError

from app.kit.db.session import current_session
from app.kit.jobs.queue import connect
from app.kit.jobs.schedule import Schedule
from app.kit.mail.outbox import Outbox

log = logging.getLogger("app.worker")

PAUSE_SECONDS = 3
# The schedule gets its turn even with ten thousand emails waiting.
ROUND_SECONDS = 20
PLAN_SECONDS = 60
SIGN_OF_LIFE = "Sweep the outbox"
SIGN_OF_LIFE_SECONDS = 15


class Sweeper:
    """Sweeps until SIGTERM or SIGINT, or until its parent process dies."""

    def __init__(self, app: Flask, outbox: Outbox, schedule: Schedule, queue_name: str) -> None:
        self._app = app
        self._outbox = outbox
        self._schedule = schedule
        self._queue_name = queue_name
        self._redis = connect(app.config["REDIS_URL"], timeout_seconds=2)
        self._parent_pid = os.getppid()
        self._stopping = False
        self._plan_at = 0.0
        self._retries: RQScheduler | None = None

    def run(self, burst: bool) -> None:
        """Sweep repeatedly; with ``burst``, until no email is due."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping and os.getppid() == self._parent_pid:
            busy = self.sweep()
            if burst and not busy:
                break
            if not busy:
                self._pause()
        self._release_retries()

    def sweep(self) -> bool:
        """Do one round; return whether more emails may be waiting."""
        busy = self._do(self._deliver)
        self._do(self._keep_schedule)
        return bool(busy)

    def _do(self, work: Callable[[], bool | None]) -> bool | None:
        """Do one part of a round; its errors must not stop the other part or the next round."""
        with self._app.app_context():
            try:
                return work()
            except DBAPIError as error:
                log.warning("the database is unavailable: %s", type(error).__name__)
            except Exception:
                log.exception("the sweep failed, it will be repeated")
        return None

    def _keep_schedule(self) -> None:
        if time.monotonic() >= self._plan_at:
            # Repeated, because somebody may empty the database while we run.
            self._schedule.rows.plan(SIGN_OF_LIFE, None)
            self._schedule.plan()
            self._plan_at = time.monotonic() + PLAN_SECONDS
        self._schedule.rows.note_run(SIGN_OF_LIFE, SIGN_OF_LIFE_SECONDS)
        current_session().commit()
        self._schedule.enqueue_due(self._redis)
        self._enqueue_retries()

    def _deliver(self) -> bool:
        ends_at = time.monotonic() + ROUND_SECONDS
        self._outbox.deliver(go_on=lambda: not self._stopping and time.monotonic() < ends_at)
        return time.monotonic() >= ends_at

    def _enqueue_retries(self) -> None:
        """Put jobs whose wait is over back into their queue; RQ has a separate process for this."""
        if self._retries is None:
            queues = [self._queue_name]
            self._retries = RQScheduler(queues, self._redis, logging_level="WARNING", serializer=JSONSerializer)
        try:
            if self._retries.acquire_locks():
                self._retries.enqueue_scheduled_jobs()
        except redis.RedisError as error:
            log.warning("Redis is unavailable: %s", type(error).__name__)

    def _release_retries(self) -> None:
        try:
            if self._retries is not None:
                self._retries.release_locks()
        except redis.RedisError:
            log.warning("Redis is unavailable, our lock will expire by itself")

    def _stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _pause(self) -> None:
        ends_at = time.monotonic() + PAUSE_SECONDS
        while not self._stopping and time.monotonic() < ends_at:
            time.sleep(0.1)
