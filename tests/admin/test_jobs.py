"""Tests for the pages about jobs: what administrators see, and what they can do with failed ones."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from rq import SimpleWorker, Worker
from sqlalchemy import select

from app.jobs import schedule
from app.kit.db.database import utc_now
from app.kit.jobs import queue
from app.models import AuditEvent, User
from tests.kit.worker_jobs import always_fail, note_app_name


@pytest.fixture(autouse=True)
def _empty_queue(app: Flask, db: SQLAlchemy) -> None:
    app.extensions["redis"].flushdb()


def fail_one(app: Flask) -> str:
    """Make a job fail in a worker; return its id."""
    always_fail.enqueue_now("planted-canary")
    own = queue.connect(app.config["REDIS_URL"], timeout_seconds=None)
    worker = SimpleWorker(
        [queue.queue_named(connection=own)], connection=own, serializer="rq.serializers.JSONSerializer"
    )
    worker.work(burst=True, logging_level="CRITICAL")
    own.close()
    [job_id] = queue.queue_named().failed_job_registry.get_job_ids()
    return job_id


def test_an_empty_queue_has_a_page_with_the_schedule(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    schedule.plan()
    page = client.get("/admin/jobs").text
    assert "No job has failed" in page
    assert "No worker" in page
    for entry in schedule.entries:
        assert entry.name in page


def test_waiting_jobs_are_counted(client: FlaskClient, admin: User) -> None:
    note_app_name.enqueue_now("x")
    note_app_name.enqueue_now("x")
    assert '<td data-label="Waiting">2</td>' in client.get("/admin/jobs").text


@pytest.mark.parametrize(("age_seconds", "state"), [(10, "idle"), (60, "not seen lately")])
def test_a_dead_worker_is_not_idle(app: Flask, client: FlaskClient, admin: User, age_seconds: int, state: str) -> None:
    seen_at = (utc_now() - timedelta(seconds=age_seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    worker = {"hostname": "box", "pid": 1, "state": "idle", "queues": "default", "last_heartbeat": seen_at}
    app.extensions["redis"].hset("rq:worker:one", mapping=worker)
    app.extensions["redis"].sadd(Worker.redis_workers_keys, "rq:worker:one")
    assert re.search(rf'data-label="State"><span class="badge[^>]*>{state}<', client.get("/admin/jobs").text)


def test_a_failed_job_shows_its_last_lines_and_no_arguments(app: Flask, client: FlaskClient, admin: User) -> None:
    fail_one(app)
    page = client.get("/admin/jobs").text
    assert "Always fail" in page
    assert "ValueError: it never works" in page
    assert "planted-canary" not in page


def test_a_failed_job_is_run_again(app: Flask, client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    job_id = fail_one(app)
    assert client.post(f"/admin/jobs/{job_id}/retry").status_code == 302
    assert queue.queue_named().job_ids == [job_id]
    assert recorded(db) == ["job.retried"]


def test_a_failed_job_is_discarded(app: Flask, client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    job_id = fail_one(app)
    assert client.post(f"/admin/jobs/{job_id}/discard").status_code == 302
    assert queue.queue_named().failed_job_registry.get_job_count() == 0
    assert recorded(db) == ["job.discarded"]


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_only_failed_jobs_can_be_changed(client: FlaskClient, admin: User, action: str) -> None:
    note_app_name.enqueue_now("x")
    [job_id] = queue.queue_named().job_ids
    assert client.post(f"/admin/jobs/{job_id}/{action}").status_code == 404
    assert client.post(f"/admin/jobs/unknown/{action}").status_code == 404
    assert queue.queue_named().job_ids == [job_id]


def test_while_the_queue_is_away_the_schedule_still_shows(
    app: Flask, client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = queue.connect("redis://127.0.0.1:1/0", timeout_seconds=0.1)
    monkeypatch.setitem(app.extensions, "redis", dead)
    page = client.get("/admin/jobs")
    assert page.status_code == 200
    assert "The queue is not reachable" in page.text
    assert "Purge sent emails" in page.text
    assert client.post("/admin/jobs/x/retry").status_code == 302


def test_reading_leaves_the_short_timeout_alone(app: Flask, client: FlaskClient, admin: User) -> None:
    client.get("/admin/jobs")
    settings = app.extensions["redis"].connection_pool.connection_kwargs
    assert settings["socket_timeout"] == queue.TIMEOUT_SECONDS


def recorded(db: SQLAlchemy) -> list[str]:
    """Return what the audit log says about this page."""
    return list(db.session.scalars(select(AuditEvent.event).where(AuditEvent.event.startswith("job."))))
