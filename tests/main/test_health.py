"""Tests for /up (the process runs) and /up/ready (its services work), which reveal only the services' names."""

from datetime import timedelta

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

from app import health
from app.kit.db.database import utc_now
from app.kit.jobs import queue
from app.kit.jobs.sweeper import SIGN_OF_LIFE
from app.models import Email, ScheduledJob
from tests.queries import recorded_queries


@pytest.fixture
def ready(db: SQLAlchemy) -> SQLAlchemy:
    """Return the database of a site whose worker was seen just now."""
    db.session.add(ScheduledJob(name=SIGN_OF_LIFE, last_run_at=utc_now()))
    db.session.commit()
    return db


def failing(client: FlaskClient) -> list[str]:
    response = client.get("/up/ready")
    assert response.status_code == (503 if response.json["failing"] else 200)
    assert response.json["ready"] is not bool(response.json["failing"])
    return response.json["failing"]


def test_up_touches_nothing(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(app.extensions, "redis")
    with recorded_queries(health.db.engine) as queries:
        response = client.get("/up")
    assert (response.status_code, response.text) == (200, "up\n")
    assert queries == []
    assert "Set-Cookie" not in response.headers


def test_all_is_well(client: FlaskClient, ready: SQLAlchemy) -> None:
    assert failing(client) == []


def test_a_queue_that_is_away(
    app: Flask, client: FlaskClient, ready: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = queue.connect("redis://127.0.0.1:1/0", timeout_seconds=0.1)
    monkeypatch.setitem(app.extensions, "redis", dead)
    assert failing(client) == ["queue"]
    assert "127.0.0.1" not in client.get("/up/ready").text


def test_a_queue_that_was_never_set_is_told_in_the_log_and_in_the_check(
    app: Flask,
    client: FlaskClient,
    ready: SQLAlchemy,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for key in ("redis", "queue_paused_until"):
        monkeypatch.setitem(app.extensions, key, None)
    monkeypatch.setitem(app.config, "REDIS_URL", "")
    queue.init_app(app)

    assert failing(client) == ["queue"]
    assert "REDIS_URL is missing" in {check.name: check.detail for check in health.checks()}["queue"]
    assert caplog.records[0].message.startswith("REDIS_URL is missing")
    with pytest.raises(redis.ConnectionError):
        queue.ping()


def test_a_worker_that_was_never_seen(client: FlaskClient) -> None:
    assert failing(client) == ["worker"]


def test_a_worker_that_fell_silent(client: FlaskClient, ready: SQLAlchemy) -> None:
    ready.session.get(ScheduledJob, SIGN_OF_LIFE).last_run_at = utc_now() - timedelta(minutes=4)
    ready.session.commit()
    assert failing(client) == ["worker"]


def test_an_email_that_waits_too_long(client: FlaskClient, ready: SQLAlchemy) -> None:
    waiting = Email(recipient="a@b.example", subject="s", template="t")
    ready.session.add(waiting)
    ready.session.commit()
    assert failing(client) == []
    waiting.created_at = utc_now() - timedelta(hours=2)
    ready.session.commit()
    assert failing(client) == ["mail"]


def test_a_migration_that_was_not_run(client: FlaskClient, ready: SQLAlchemy) -> None:
    current = ready.session.scalar(text("SELECT version_num FROM alembic_version"))
    ready.session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    ready.session.commit()
    try:
        assert failing(client) == ["migrations"]
    finally:
        ready.session.execute(text("UPDATE alembic_version SET version_num = :current"), {"current": current})
        ready.session.commit()


def test_a_database_that_is_away(client: FlaskClient, ready: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError("no route to 10.0.0.5")

    monkeypatch.setattr(health.db.session, "execute", refuse)
    assert failing(client) == ["database"]
    assert "10.0.0.5" not in client.get("/up/ready").text


def test_administrators_read_more(ready: SQLAlchemy) -> None:
    details = {check.name: check.detail for check in health.checks()}
    assert details["worker"].startswith("It was last seen")
    assert details["mail"] == "Nothing waits to be sent."
