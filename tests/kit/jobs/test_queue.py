"""Tests for enqueuing: after the commit, as JSON, and without waiting when Redis is down."""

import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

from app.kit.jobs import queue
from app.kit.jobs.queue import job
from tests.servers.faulty_redis import RedisServer


@job("Count sheep", timeout_seconds=7, retry_after_seconds=(5, 50))
def count_sheep(number: int) -> int:
    return number


@pytest.fixture
def own_redis(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """Yield a queue server that the test may stop."""
    server = RedisServer(tmp_path).start()
    client = queue.connect(server.url, timeout_seconds=queue.TIMEOUT_SECONDS)
    monkeypatch.setitem(app.extensions, "redis", client)
    monkeypatch.setitem(app.extensions, "queue_paused_until", 0.0)
    yield server
    server.kill()


def seconds_to_enqueue() -> float:
    started_at = time.monotonic()
    count_sheep.enqueue(1)
    return time.monotonic() - started_at


def test_a_job_is_also_a_function(db: SQLAlchemy) -> None:
    assert count_sheep(3) == 3
    assert count_sheep.__name__ == "count_sheep"


def test_a_job_is_enqueued_after_the_commit_with_its_rules(db: SQLAlchemy, own_redis: RedisServer) -> None:
    db.session.execute(text("SELECT 1"))
    count_sheep.enqueue(3)
    assert queue.queue_named().count == 0
    db.session.commit()
    [stored] = queue.queue_named().jobs
    assert (stored.func_name, stored.args) == (f"{__name__}.count_sheep", [3])
    assert (stored.description, stored.timeout, stored.retry_intervals) == ("Count sheep", 7, [5, 50])
    assert stored.failure_ttl < 31 * 24 * 60 * 60


def test_a_rollback_enqueues_nothing(db: SQLAlchemy, own_redis: RedisServer) -> None:
    db.session.execute(text("SELECT 1"))
    count_sheep.enqueue(3)
    db.session.rollback()
    db.session.commit()
    assert queue.queue_named().count == 0


def test_what_is_stored_is_json_and_no_pickle(db: SQLAlchemy, own_redis: RedisServer) -> None:
    count_sheep.enqueue(3)
    [stored] = queue.queue_named().jobs

    data = zlib.decompress(own_redis.client().hget(stored.key, "data"))
    assert data.startswith(b"[")
    assert b"count_sheep" in data


def test_redis_refused_costs_no_time_and_no_exception(db: SQLAlchemy, own_redis: RedisServer) -> None:
    own_redis.kill()
    assert seconds_to_enqueue() < 0.5
    own_redis.start()


def test_redis_as_a_black_hole_costs_half_a_second_once(db: SQLAlchemy, own_redis: RedisServer) -> None:
    count_sheep.enqueue(1)
    own_redis.freeze()
    assert 0.3 < seconds_to_enqueue() < 5
    assert seconds_to_enqueue() < 0.3
    own_redis.thaw()


def test_redis_that_is_full_is_survived(db: SQLAlchemy, own_redis: RedisServer) -> None:
    own_redis.client().config_set("maxmemory", "1")
    assert seconds_to_enqueue() < 0.5


def test_redis_that_came_back_is_used_again(app: Flask, db: SQLAlchemy, own_redis: RedisServer) -> None:
    count_sheep.enqueue(1)
    own_redis.kill()
    count_sheep.enqueue(2)
    own_redis.start()
    app.extensions["queue_paused_until"] = 0.0
    count_sheep.enqueue(3)
    assert [stored.args for stored in queue.queue_named().jobs] == [[3]]


@pytest.mark.parametrize("url", ["redis://user:secret@host:7000/3", "rediss://user:secret@host:7000/3"])
def test_user_password_database_and_encryption_come_from_the_address(url: str) -> None:
    settings = queue.connect(url, timeout_seconds=0.5).connection_pool.connection_kwargs
    assert (settings["username"], settings["password"]) == ("user", "secret")
    assert (settings["host"], settings["port"], settings["db"]) == ("host", 7000, 3)
    encrypted = "SSL" in queue.connect(url, timeout_seconds=0.5).connection_pool.connection_class.__name__
    assert encrypted == url.startswith("rediss")
