"""Tests for one process at a time: on PostgreSQL by an advisory lock, on SQLite by a file."""

import time

from flask_sqlalchemy import SQLAlchemy

from app.kit.db.exclusive import one_at_a_time
from tests.servers.waiting import in_threads


def test_of_three_at_once_two_wait(db: SQLAlchemy) -> None:
    engine, steps = db.engine, []

    def work() -> None:
        with one_at_a_time(engine, "test"):
            steps.append("in")
            time.sleep(0.05)
            steps.append("out")

    in_threads(3, work)
    assert steps == ["in", "out"] * 3


def test_an_error_lets_the_next_one_in(db: SQLAlchemy) -> None:
    for _ in range(2):
        try:
            with one_at_a_time(db.engine, "test"):
                raise RuntimeError
        except RuntimeError:
            pass
