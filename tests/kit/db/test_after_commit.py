"""Callbacks run exactly once after the commit, and never after a rollback."""

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

from app.kit.db.after_commit import after_commit


class Calls:
    """Records the callbacks that ran, and registers new ones."""

    def __init__(self, db: SQLAlchemy) -> None:
        self.session = db.session()
        self.made: list[str] = []

    def ask(self, name: str, key: object = None) -> None:
        self.session.execute(text("SELECT 1"))
        after_commit(self.session, lambda: self.made.append(name), key)


@pytest.fixture
def calls(db: SQLAlchemy) -> Calls:
    db.session.rollback()
    return Calls(db)


def test_it_runs_after_the_commit_and_only_then(calls: Calls) -> None:
    calls.ask("job")
    assert calls.made == []
    calls.session.commit()
    assert calls.made == ["job"]
    calls.session.commit()
    assert calls.made == ["job"]


def test_it_runs_at_once_without_a_transaction(calls: Calls) -> None:
    after_commit(calls.session, lambda: calls.made.append("job"))
    assert calls.made == ["job"]


def test_it_never_runs_after_a_rollback(calls: Calls) -> None:
    calls.ask("job")
    calls.session.rollback()
    calls.session.execute(text("SELECT 1"))
    calls.session.commit()
    assert calls.made == []


def test_it_never_runs_after_the_session_was_closed(calls: Calls) -> None:
    calls.ask("job")
    calls.session.close()
    calls.session.execute(text("SELECT 1"))
    calls.session.commit()
    assert calls.made == []


def test_a_savepoint_that_is_rolled_back_takes_its_own_along_only(calls: Calls) -> None:
    calls.ask("outer")
    savepoint = calls.session.begin_nested()
    calls.ask("inner")
    savepoint.rollback()
    calls.session.commit()
    assert calls.made == ["outer"]


def test_a_savepoint_that_is_released_waits_for_the_commit(calls: Calls) -> None:
    with calls.session.begin_nested():
        calls.ask("inner")
    assert calls.made == []
    calls.session.commit()
    assert calls.made == ["inner"]


def test_a_released_savepoint_falls_with_the_transaction_around_it(calls: Calls) -> None:
    with calls.session.begin_nested():
        calls.ask("inner")
    calls.session.rollback()
    assert calls.made == []


def test_a_released_savepoint_falls_with_the_savepoint_around_it(calls: Calls) -> None:
    outer = calls.session.begin_nested()
    with calls.session.begin_nested():
        calls.ask("inner")
    outer.rollback()
    calls.session.commit()
    assert calls.made == []


def test_of_several_with_one_key_the_first_runs(calls: Calls) -> None:
    calls.ask("first", key="wake")
    with calls.session.begin_nested():
        calls.ask("second", key="wake")
    calls.ask("third", key="wake")
    calls.session.commit()
    assert calls.made == ["first"]


def test_nothing_is_kept_of_what_was_rolled_back_or_closed(calls: Calls) -> None:
    calls.ask("rolled back")
    calls.session.rollback()
    calls.ask("closed")
    calls.session.close()
    assert calls.session.info["after_commit"] == {}
