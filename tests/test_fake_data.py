"""Tests for fake data: however many users are added, and however the command ends, every index is there afterwards."""

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select, text

from app import fake_data
from app.kit.db.database import utc_now
from app.models import AuditEvent, User, UserSession


def indexes(db: SQLAlchemy) -> dict[str, str]:
    """Return all indexes by their names, those on expressions included, and the triggers of the search.

    PostgreSQL writes what an index has in its own words; SQLite keeps the statement, whose blanks may differ.
    """
    is_sqlite = db.engine.dialect.name == "sqlite"
    names = "SELECT name, type FROM sqlite_master" if is_sqlite else "SELECT indexname, indexdef FROM pg_indexes"
    return dict(db.session.execute(text(names)).all())


def number_of(db: SQLAlchemy, model: type[User]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def few_make_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_data, "CHUNK", 5)


@pytest.mark.usefixtures("few_make_a_chunk")
def test_many_users_are_indexed_at_the_end(db: SQLAlchemy) -> None:
    before, seen = indexes(db), []
    fake_data.add_fake_users(12, on_progress=lambda added: seen.append((added, indexes(db))))
    assert [added for added, _ in seen] == [5, 5, 2]
    assert not {"ix_users_name", "ix_audit_events_when", "users_search_insert"} & set(seen[0][1]), (
        "rows are added without"
    )
    assert "ix_users_email_lower" in seen[0][1], "two users never get the same address"
    assert indexes(db) == before
    joined = AuditEvent.event.in_(["user.registered", "user.invited"])
    assert number_of(db, User) == len(db.session.scalars(select(AuditEvent).where(joined)).all()) == 12
    assert len(db.session.scalars(User.ids_matching("@example.com")).all()) == 12


def test_some_active_users_were_here_lately_after_they_joined(db: SQLAlchemy) -> None:
    fake_data.add_fake_users(100)
    sessions = db.session.scalars(select(UserSession)).all()
    assert sessions
    assert all(row.user.created_at <= row.last_seen_at <= utc_now() for row in sessions)
    assert {row.user.state for row in sessions} == {"active"}
    assert not any(row.is_expired for row in sessions)
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "user.logged_in")).all()
    assert {(row.user_id, row.created_at, row.browser) for row in sessions} == {
        (event.subject_id, event.created_at, event.details["browser"]) for event in events
    }


@pytest.mark.usefixtures("few_make_a_chunk")
def test_an_interrupted_run_keeps_its_users_and_leaves_every_index(db: SQLAlchemy) -> None:
    before = indexes(db)

    def interrupt(_added: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fake_data.add_fake_users(12, on_progress=interrupt)
    assert indexes(db) == before
    assert len(db.session.scalars(User.ids_matching("@example.com")).all()) == 5


def test_reindex_creates_what_a_killed_run_has_dropped(app: Flask, db: SQLAlchemy) -> None:
    before = indexes(db)
    with db.engine.begin() as connection:
        for name in ("ix_users_name", "ix_users_state_email"):
            connection.exec_driver_sql(f"DROP INDEX {name}")
    assert app.test_cli_runner().invoke(args=["reindex"]).exit_code == 0
    assert indexes(db) == before
