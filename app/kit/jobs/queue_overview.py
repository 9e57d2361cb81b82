"""The state of the queues for administrators, read from what RQ stores in Redis."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from flask import current_app
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import BaseRegistry
from rq.serializers import JSONSerializer

from app.kit.jobs.queue import DEFAULT_QUEUE, queue_named

SHOWN_JOBS = 50
ERROR_LINES = 3
# A worker reports every 15 seconds (TTL_SECONDS in queue_worker.py). Redis keeps what it said last for longer.
SILENT_WORKER_SECONDS = 45


@dataclass(frozen=True)
class QueueState:
    """A queue, with the numbers of its waiting, running, retrying and failed jobs."""

    name: str
    waiting: int
    running: int
    retrying: int
    failed: int


@dataclass(frozen=True)
class JobState:
    """A running or failed job; ``error`` is the last lines of its traceback."""

    id: str
    name: str
    queue: str
    at: datetime | None
    error: str = ""


@dataclass(frozen=True)
class WorkerState:
    """A worker process; its state is RQ's, or "not seen lately"."""

    host: str
    pid: str
    state: str
    queues: str
    last_seen_at: datetime | None


@dataclass(frozen=True)
class Overview:
    """All queues, their running and failed jobs, and the workers."""

    queues: list[QueueState]
    running: list[JobState]
    failed: list[JobState]
    workers: list[WorkerState]


def overview() -> Overview | None:
    """Return the state of all queues, or None while Redis is unavailable."""
    try:
        queues = _queues()
        return Overview(
            queues=[_queue_state(queue) for queue in queues],
            running=[job for queue in queues for job in _jobs(queue, queue.started_job_registry)],
            failed=[job for queue in queues for job in _jobs(queue, queue.failed_job_registry)],
            workers=_workers(),
        )
    except redis.RedisError:
        return None


def queue_states() -> list[QueueState]:
    """Return the state of each queue. Raises :class:`redis.RedisError` while Redis is unavailable."""
    return [_queue_state(queue) for queue in _queues()]


def failed_job(job_id: str) -> Job | None:
    """Return the failed job with this id, or None. Raises :class:`redis.RedisError` while Redis is unavailable."""
    try:
        job = Job.fetch(job_id, connection=current_app.extensions["redis"], serializer=JSONSerializer)
    except (NoSuchJobError, ValueError):  # RQ raises ValueError for an invalid id, and a URL can hold anything
        return None
    return job if job.is_failed else None


def _queues() -> list[Queue]:
    keys = current_app.extensions["redis"].smembers(Queue.redis_queues_keys)
    names = {DEFAULT_QUEUE, *(key.decode().removeprefix(Queue.redis_queue_namespace_prefix) for key in keys)}
    return [queue_named(name) for name in sorted(names)]


def _queue_state(queue: Queue) -> QueueState:
    # Only count: a web process does not clean up after workers.
    counts = [
        registry.get_job_count(cleanup=False)
        for registry in (queue.started_job_registry, queue.scheduled_job_registry, queue.failed_job_registry)
    ]
    return QueueState(queue.name, queue.count, *counts)


def _jobs(queue: Queue, registry: BaseRegistry) -> Iterator[JobState]:
    for job_id in registry.get_job_ids(0, SHOWN_JOBS - 1, desc=True, cleanup=False):
        job = queue.fetch_job(job_id)
        if job is not None:
            moment = _aware(job.ended_at or job.started_at)
            yield JobState(job.id, job.description or job.func_name or "", queue.name, moment, _error(job))


def _error(job: Job) -> str:
    result = job.latest_result()
    lines = (result.exc_string or "").strip().splitlines() if result else []
    return "\n".join(lines[-ERROR_LINES:])


def _workers() -> list[WorkerState]:
    # RQ's own class would extend the timeout of the connection that it is given.
    client = current_app.extensions["redis"]
    rows = [client.hgetall(key) for key in sorted(client.smembers(Worker.redis_workers_keys))]
    return [_worker(row) for row in rows if row and b"death" not in row]


def _worker(row: dict[bytes, bytes]) -> WorkerState:
    texts = {name.decode(): value.decode(errors="replace") for name, value in row.items()}
    seen_at = _aware(datetime.fromisoformat(texts["last_heartbeat"])) if texts.get("last_heartbeat") else None
    is_silent = seen_at is None or (datetime.now(UTC) - seen_at).total_seconds() > SILENT_WORKER_SECONDS
    return WorkerState(
        host=texts.get("hostname", ""),
        pid=texts.get("pid", ""),
        state="not seen lately" if is_silent else texts.get("state", ""),
        queues=texts.get("queues", ""),
        last_seen_at=seen_at,
    )


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
