"""Jobs: functions that a worker process runs later, by way of Redis and RQ.

Redis is never the source of truth. A page must respond within a second while Redis is unavailable, so every call
has a short timeout and no retry, and a failure is logged and otherwise ignored. What must not be lost has a row in
the database, and the sweeper looks for such rows (outbox.py).
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper

import redis
from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq import Retry as RetryRule
from rq.serializers import JSONSerializer

from app.kit.core.request_log import current_request_id
from app.kit.db.after_commit import after_commit
from app.kit.db.session import current_session

log = logging.getLogger("app.queue")

DEFAULT_QUEUE = "default"
TIMEOUT_SECONDS = 0.5
# While Redis is unavailable, not every page should wait for the timeout.
PAUSE_AFTER_FAILURE_SECONDS = 5
KEEP_RESULT_SECONDS = 10 * 60

# Where a client looks without REDIS_URL: each call fails at once, as if Redis were down.
NOWHERE = "unix:///dev/null/redis"
WITHOUT_REDIS = (
    "REDIS_URL is missing: emails leave some seconds later, jobs and the schedule wait, "
    "and each process counts rate limits for itself"
)

# Ids and short strings: see Job.
Argument = int | str


def init_app(app: Flask) -> None:
    """Set ``app.extensions["redis"]`` to a client, which does not connect yet. Call this after the log is set up."""
    if not app.config["REDIS_URL"]:
        log.warning(WITHOUT_REDIS)
    app.extensions["redis"] = connect(app.config["REDIS_URL"], timeout_seconds=TIMEOUT_SECONDS)
    app.extensions["queue_paused_until"] = 0.0


def connect(url: str, *, timeout_seconds: float | None) -> redis.Redis:
    """Return a client for ``url`` (redis, rediss, unix, or empty) that never retries.

    redis-py's default of ten retries blocks a request for a minute when packets get lost.
    """
    return redis.Redis.from_url(
        url or NOWHERE,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def queue_named(name: str = DEFAULT_QUEUE, connection: redis.Redis | None = None) -> Queue:
    """Return the RQ queue ``name``. Job arguments are JSON: a pickle could run code when a worker loads it."""
    client = connection or current_app.extensions["redis"]
    return Queue(name, connection=client, serializer=JSONSerializer)


@dataclass(eq=False)
class Job:
    """A function with a name, a queue and rules for retries; calling it runs it at once, in this process.

    Arguments are ids and short strings. They are readable in Redis and in RQ's logs, so never pass a token, link or
    address. A job may run twice, so it must check before it acts.
    """

    function: Callable[..., object]
    name: str
    queue: str
    timeout_seconds: int
    retry_after_seconds: tuple[int, ...]

    def __post_init__(self) -> None:
        update_wrapper(self, self.function)

    def __call__(self, *arguments: Argument) -> object:
        """Run the function in this process, and return its result."""
        return self.function(*arguments)

    @property
    def path(self) -> str:
        """The dotted name by which a worker finds the job."""
        return f"{self.function.__module__}.{self.function.__name__}"

    def enqueue(self, *arguments: Argument, once_as: str | None = None) -> None:
        """Enqueue the job once the current transaction has committed.

        After a rollback nothing is enqueued. While Redis is unavailable this logs the job and drops it. Of several
        calls in one transaction with the same ``once_as`` only the first counts.
        """
        after_commit(current_session()(), lambda: self._try_to_enqueue(arguments), key=once_as)

    def _try_to_enqueue(self, arguments: tuple[Argument, ...]) -> None:
        if time.monotonic() < current_app.extensions["queue_paused_until"]:
            log.warning("job not enqueued, Redis is unavailable", extra={"fields": {"job": self.name}})
            return
        try:
            self.enqueue_now(*arguments)
        except (redis.RedisError, OSError) as error:
            current_app.extensions["queue_paused_until"] = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            fields = {"job": self.name, "error": type(error).__name__}
            log.error("job not enqueued, Redis does not respond", extra={"fields": fields})

    def enqueue_now(self, *arguments: Argument, connection: redis.Redis | None = None) -> None:
        """Enqueue without waiting for a commit. Raises :class:`redis.RedisError` while Redis is unavailable."""
        waits = list(self.retry_after_seconds)
        queue_named(self.queue, connection).enqueue_call(
            self.path,
            args=arguments,
            timeout=self.timeout_seconds,
            result_ttl=KEEP_RESULT_SECONDS,
            # RQ keeps failed jobs, with their arguments, for a year by default.
            failure_ttl=int(current_app.config["FAILED_JOB_LIFETIME"].total_seconds()),
            description=self.name,
            retry=RetryRule(max=len(waits), interval=waits) if waits else None,
            meta={"request_id": current_request_id()},
        )


# Every job that was imported, from any module.
jobs: list[Job] = []


def job(
    name: str,
    *,
    queue: str = DEFAULT_QUEUE,
    timeout_seconds: int = 180,
    retry_after_seconds: tuple[int, ...] = (10, 60, 300),
) -> Callable[[Callable[..., object]], Job]:
    """Return a decorator that makes a function a job.

    ``name`` is shown to administrators. When the function raises or its worker dies, it is retried after each of
    ``retry_after_seconds``; after the last it is listed as failed at /admin/jobs.

    Raises ValueError when another job has this name.
    """

    def decorate(function: Callable[..., object]) -> Job:
        made = Job(function, name, queue, timeout_seconds, retry_after_seconds)
        if any(known.name == name and known.path != made.path for known in jobs):
            # The schedule stores a job's times by its name: one of the two would never run.
            raise ValueError(f"There are two jobs called {name!r}. Rename one.")
        jobs.append(made)
        return made

    return decorate


def ping() -> None:
    """Check that Redis responds. Raises :class:`redis.RedisError` when it does not."""
    current_app.extensions["redis"].ping()
