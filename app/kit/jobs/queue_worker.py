"""RQ's worker, changed where it would load the app for each job, lose a job, or wait too long.

It forks for every job, so a job that leaks memory or crashes does not affect the worker. It forks from a process
that has already loaded the application, which makes it twenty times as fast as ``rq worker``.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import redis
from flask import Flask
from rq import Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue

from app.kit.core import metrics
from app.kit.core.request_log import log_fields
from app.kit.db.session import current_database
from app.kit.jobs.queue import connect, jobs, queue_named

log = logging.getLogger("app.worker")

# A heartbeat twice a minute; with RQ's seven minutes a dead worker would go unnoticed that long.
TTL_SECONDS = 30
# A killed worker's job is noticed this long after its last heartbeat: the sum of these three.
MONITORING_SECONDS = 10
JOB_GRACE_SECONDS = 20
MAINTENANCE_SECONDS = 15


class DeclaredJob(Job):
    """A job that runs only a function declared with ``@job``, and no callbacks.

    RQ imports whatever name stands in Redis: an attacker who can write there could otherwise name ``os.system``.
    """

    @property
    def func(self) -> Callable[..., object]:
        """Return the declared function; raises ValueError for any other name."""
        for job in jobs:
            if job.path == self.func_name:
                return job.function
        raise ValueError("the queue names a function that is no job of this application")

    @property
    def success_callback(self) -> None:
        """Return None: the application uses no callbacks."""

    failure_callback = stopped_callback = success_callback


class QueueWorker(Worker):
    """Runs the jobs of one queue.

    RQ takes a job from a single queue in one step, but from several queues in two. A worker that dies between the
    two steps loses the job.
    """

    def __init__(self, app: Flask, queue_name: str) -> None:
        # No timeout here: RQ sets its own, since it blocks while it waits for a job.
        connection = connect(app.config["REDIS_URL"], timeout_seconds=None)
        super().__init__(
            [queue_named(queue_name, connection)],
            connection=connection,
            serializer="rq.serializers.JSONSerializer",
            job_class=DeclaredJob,
            worker_ttl=TTL_SECONDS,
            job_monitoring_interval=MONITORING_SECONDS,
            maintenance_interval=MAINTENANCE_SECONDS,
        )
        self._app = app
        self._parent_pid = os.getppid()
        self.log_result_lifespan = False
        self.max_connection_wait_time = 5.0

    def subscribe(self) -> None:
        """Do nothing: listening for commands takes a thread, and forking beside a thread may deadlock."""

    def unsubscribe(self) -> None:
        """Do nothing, since nothing was subscribed."""

    def setup_work_horse_signals(self) -> None:
        """Let the running job finish, even if every process is told to stop, as on Heroku."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """Ignore a second request to stop, which comes when the first was sent to all processes."""

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Return for how many seconds a running job counts as alive without a heartbeat."""
        return MONITORING_SECONDS + JOB_GRACE_SECONDS

    def run_maintenance_tasks(self) -> None:
        """Recover the jobs of dead workers; stop when the parent process has died."""
        if os.getppid() != self._parent_pid:
            raise StopRequested
        super().run_maintenance_tasks()

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run the job in the forked process, in an application context; return whether it succeeded."""
        started_at = time.perf_counter()
        request_id = job.meta.get("request_id") if job.meta else None
        with self._app.app_context(), log_fields(job_id=job.id, request_id=request_id):
            # These connections belong to the parent: drop them without closing them.
            current_database().engine.dispose(close=False)
            succeeded = super().perform_job(job, queue, execution)
            seconds = round(time.perf_counter() - started_at, 3)
            fields = {"job": job.description, "succeeded": succeeded, "seconds": seconds}
            log.info("job ended", extra={"fields": fields})
            metrics.count("jobs", job.description or "", "succeeded" if succeeded else "failed")
            metrics.count("job_seconds", job.description or "", amount=seconds)
            metrics.write_now()
            return succeeded


def work(app: Flask, queue_name: str, burst: bool) -> None:
    """Run the queue's jobs until told to stop, or with ``burst`` until the queue is empty.

    Exits with code 1 when Redis becomes unavailable; the supervisor then starts a new process.
    """
    try:
        worker = QueueWorker(app, queue_name)
        worker.work(burst=burst, logging_level="WARNING")
    except redis.RedisError as error:
        log.warning("Redis is unavailable: %s", type(error).__name__)
        raise SystemExit(1) from None
