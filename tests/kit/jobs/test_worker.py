"""Tests for the worker as a whole, with real processes, a real queue and real signals."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from rq import Callback
from sqlalchemy import delete, select

from app import jobs
from app.kit.core import metrics
from app.kit.jobs import queue, queue_worker, sweeper, worker
from app.kit.jobs.schedule import Entry, Schedule
from app.models import Email, ScheduledJob
from tests.kit.worker_jobs import always_fail, fail_twice, note_app_name, take_a_while
from tests.servers.faulty_redis import RedisServer
from tests.servers.forking import ForkedProcess
from tests.servers.waiting import wait_until


@pytest.fixture
def redis_server(app: Flask, db: SQLAlchemy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """Yield a queue server for this test; the app and its worker use it."""
    server = RedisServer(tmp_path / "redis", "--appendonly", "yes").start()
    monkeypatch.setitem(app.config, "REDIS_URL", server.url)
    monkeypatch.setitem(app.extensions, "redis", queue.connect(server.url, timeout_seconds=0.5))
    monkeypatch.setitem(app.extensions, "queue_paused_until", 0.0)
    yield server
    server.kill()


@pytest.fixture
def start(
    app: Flask, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ForkedProcess]]:
    """Yield a function that starts workers with short intervals, and stop the workers at the end."""
    monkeypatch.setattr(sweeper, "PAUSE_SECONDS", 0.3)
    monkeypatch.setattr(worker, "LONGEST_PAUSE_SECONDS", 0.5)
    monkeypatch.setattr(queue_worker, "MAINTENANCE_SECONDS", 1)
    monkeypatch.setattr(queue_worker, "MONITORING_SECONDS", 1)
    monkeypatch.setattr(queue_worker, "JOB_GRACE_SECONDS", 1)
    monkeypatch.setattr(queue_worker, "TTL_SECONDS", 16)
    started: list[ForkedProcess] = []

    def start_worker(**options: object) -> ForkedProcess:
        process = ForkedProcess(app, lambda: worker.run(app, jobs.outbox, jobs.schedule, **options))  # type: ignore[arg-type]
        started.append(process)
        return process

    yield start_worker
    for process in started:
        with suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


def words(notes: Path) -> list[str]:
    return [line.split()[0] for line in notes.read_text().splitlines()] if notes.exists() else []


def test_a_burst_runs_what_there_is_and_ends(
    app: Flask, db: SQLAlchemy, start: Callable[..., ForkedProcess], notes: Path
) -> None:
    note_app_name.enqueue(str(notes))
    email_id = add_email(db)
    process = start(burst=True)
    assert process.wait() == 0
    [line] = notes.read_text().splitlines()
    assert line.startswith(app.config["APP_NAME"])
    assert int(line.split()[-1]) not in (process.pid, os.getpid())
    assert (app.config["MAILBOX_DIR"] / f"{email_id}-1.eml").exists()


def test_emails_leave_where_redis_was_never_set(
    app: Flask, db: SQLAlchemy, start: Callable[..., ForkedProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "REDIS_URL", "")
    email_id = add_email(db)
    process = start()
    wait_until(lambda: (app.config["MAILBOX_DIR"] / f"{email_id}-1.eml").exists())
    assert len(psutil.Process(process.pid).children()) == 1, "the sweeper alone"


def test_jobs_are_counted_though_their_process_ends_at_once(
    app: Flask, start: Callable[..., ForkedProcess], notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = metrics.Counters(app.extensions["redis"], lambda: 0)
    monkeypatch.setitem(app.extensions, "metrics", counters)
    note_app_name.enqueue(str(notes))
    assert start(burst=True).wait() == 0
    read = counters.read()
    assert read[("jobs", note_app_name.name, "succeeded")] == 1
    assert read[("job_seconds", note_app_name.name)] > 0


def test_sigterm_to_every_process_lets_the_running_job_finish(start: Callable[..., ForkedProcess], notes: Path) -> None:
    take_a_while.enqueue(str(notes), 1)
    process = start()
    wait_until(lambda: words(notes) == ["begun"])
    for member in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        # An idle one may be gone already, stopped by its parent.
        with suppress(psutil.NoSuchProcess):
            member.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert words(notes) == ["begun", "done"]
    assert queue.queue_named().failed_job_registry.get_job_count() == 0


def test_an_idle_worker_ends_at_once(start: Callable[..., ForkedProcess], redis_server: RedisServer) -> None:
    process = start()
    wait_until(lambda: redis_server.client().smembers("rq:workers"))
    started_at = time.monotonic()
    assert process.terminate() == 0
    assert time.monotonic() - started_at < 2
    assert redis_server.client().smembers("rq:workers") == set()


def test_a_failing_job_is_tried_again_after_its_waits(start: Callable[..., ForkedProcess], notes: Path) -> None:
    fail_twice.enqueue(str(notes))
    start()
    wait_until(lambda: words(notes) == ["tried"] * 3)


def test_a_job_that_fails_for_good_is_kept_for_the_administrator(start: Callable[..., ForkedProcess]) -> None:
    always_fail.enqueue("x")
    start(burst=True).wait()
    assert queue.queue_named().failed_job_registry.get_job_count() == 1


def test_a_name_written_into_redis_runs_nothing(start: Callable[..., ForkedProcess], notes: Path) -> None:
    """An attacker who can write to Redis can name any function, and any callback."""
    waiting = queue.queue_named()
    waiting.enqueue_call("os.system", args=(f"echo attacked > {notes}",))
    waiting.enqueue_call("os.mkdir", args=(str(notes),))
    callback = Callback("os.system")
    waiting.enqueue_call(always_fail.path, args=("x",), on_failure=callback)
    start(burst=True).wait()
    assert not notes.exists()
    assert waiting.failed_job_registry.get_job_count() == 3


def test_a_killed_job_is_run_again(start: Callable[..., ForkedProcess], notes: Path) -> None:
    take_a_while.enqueue(str(notes), 1)
    start()
    wait_until(lambda: words(notes) == ["begun"])
    os.kill(int(notes.read_text().split()[1]), signal.SIGKILL)
    wait_until(lambda: words(notes) == ["begun", "begun", "done"])


def test_a_killed_worker_is_replaced_and_its_job_recovered(start: Callable[..., ForkedProcess], notes: Path) -> None:
    """Kill worker and job together, as when memory runs out; with production's settings recovery takes a minute."""
    take_a_while.enqueue(str(notes), 0.5)
    process = start()
    wait_until(lambda: words(notes) == ["begun"])
    [job_process] = [psutil.Process(int(notes.read_text().split()[1]))]
    job_process.parent().kill()
    job_process.kill()
    wait_until(lambda: words(notes) == ["begun", "begun", "done"])
    assert psutil.pid_exists(process.pid)


def test_a_killed_sweeper_is_replaced(
    db: SQLAlchemy, start: Callable[..., ForkedProcess], redis_server: RedisServer
) -> None:
    process = start()
    wait_until(lambda: redis_server.client().smembers("rq:workers"))
    redis_server.kill()
    psutil.Process(process.pid).children()[0].kill()
    add_email(db)
    wait_until(lambda: email_states(db) == ["sent"])


def test_emails_leave_without_redis(
    db: SQLAlchemy, start: Callable[..., ForkedProcess], redis_server: RedisServer
) -> None:
    redis_server.kill()
    add_email(db)
    start()
    wait_until(lambda: email_states(db) == ["sent"])


def test_redis_may_restart(start: Callable[..., ForkedProcess], redis_server: RedisServer, notes: Path) -> None:
    start()
    wait_until(lambda: redis_server.client().smembers("rq:workers"))
    redis_server.kill()
    redis_server.start()
    note_app_name.enqueue_now(str(notes))
    wait_until(lambda: len(words(notes)) == 1)


def test_redis_may_be_wiped(
    db: SQLAlchemy, start: Callable[..., ForkedProcess], redis_server: RedisServer, notes: Path
) -> None:
    add_email(db)
    redis_server.client().flushall()
    start()
    wait_until(lambda: email_states(db) == ["sent"])
    wait_until(lambda: redis_server.client().smembers("rq:workers"))
    redis_server.client().flushall()
    note_app_name.enqueue_now(str(notes))
    wait_until(lambda: len(words(notes)) == 1)


def test_two_workers_run_two_jobs_at_once(start: Callable[..., ForkedProcess], notes: Path) -> None:
    take_a_while.enqueue(str(notes), 1)
    take_a_while.enqueue(str(notes), 1)
    start(workers=2)
    wait_until(lambda: words(notes) == ["begun", "begun"])


def test_a_worker_takes_jobs_of_its_queue_only(start: Callable[..., ForkedProcess], notes: Path) -> None:
    note_app_name.enqueue(str(notes))
    start(queue="other", burst=True).wait()
    assert words(notes) == []


def add_email(db: SQLAlchemy) -> int:
    row = Email(recipient="a@b.example", subject="s", template="account/email/account_deleted")
    db.session.add(row)
    db.session.commit()
    return row.id


def email_states(db: SQLAlchemy) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Email.state)))


def test_a_schedule_that_is_broken_does_not_hold_up_emails(
    app: Flask, db: SQLAlchemy, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Schedule(ScheduledJob, [Entry(note_app_name, "at noon, or so")])
    add_email(db)
    sweeper.Sweeper(app, jobs.outbox, broken, "default").sweep()
    assert email_states(db) == ["sent"]
    assert "the sweep failed" in caplog.text


def test_the_sweeper_signs_again_after_the_database_was_emptied(
    app: Flask, db: SQLAlchemy, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "PLAN_SECONDS", 0)
    worker_part = sweeper.Sweeper(app, jobs.outbox, jobs.schedule, "default")
    worker_part.sweep()
    db.session.execute(delete(ScheduledJob))
    db.session.commit()
    worker_part.sweep()
    assert ScheduledJob.last_run(sweeper.SIGN_OF_LIFE) is not None
