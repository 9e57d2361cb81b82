"""Datetimes are returned in UTC, whoever wrote them and however they are queried."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select, text
from sqlalchemy.exc import StatementError

from app.kit.db.database import Model, lock_row, lock_unchanged, utc_now
from app.models import User
from tests.factories import make_user
from tests.queries import recorded_queries

ROOT = Path(__file__).resolve().parents[3]
IN_TOKYO = datetime(2026, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))
IN_UTC = datetime(2026, 5, 1, 0, 30, tzinfo=UTC)


def test_a_moment_of_any_zone_is_read_in_utc(db: SQLAlchemy) -> None:
    user = make_user(created_at=IN_TOKYO, disabled_at=None)
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL TIME ZONE 'Asia/Tokyo'"))
    db.session.expire(user)
    assert (user.created_at, user.created_at.tzinfo, user.disabled_at) == (IN_UTC, UTC, None)
    newest, none = db.session.execute(select(func.max(User.created_at), func.min(User.disabled_at))).one()
    assert (newest, newest.tzinfo, none) == (IN_UTC, UTC, None)


def test_a_moment_that_the_database_wrote_is_read_too(db: SQLAlchemy) -> None:
    """SQLite's own have no fraction of a second."""
    db.session.execute(text("INSERT INTO users (uid, email) VALUES ('u', 'ada@example.org')"))
    written = db.session.scalars(select(User.created_at)).one()
    assert written.tzinfo is UTC
    assert abs(utc_now() - written) < timedelta(minutes=1)


def test_a_moment_without_a_zone_is_not_taken(db: SQLAlchemy) -> None:
    with pytest.raises(StatementError, match="needs its time zone"):
        db.session.scalar(select(User).where(User.created_at < datetime(2026, 5, 1)))  # noqa: DTZ001


def test_the_typed_parent_of_models_is_that_of_flask_sqlalchemy(db: SQLAlchemy) -> None:
    assert db.Model is Model
    assert User.query.session is db.session()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ('User(emial="ada@example.org")', 'Unexpected keyword argument "emial" for "User"; did you mean "email"?'),
        ("User(confirmed=[])", 'Argument "confirmed" to "User" has incompatible type'),
        ("User().emial", '"User" has no attribute "emial"'),
    ],
)
def test_mypy_sees_a_mistake_in_a_column(tmp_path: Path, mistake: str, message: str) -> None:
    # With the project's cache: without it, the first run reads the whole application.
    probe = tmp_path / "probe.py"
    probe.write_text(f"from app.models import User\n\n{mistake}\n")
    command = [sys.executable, "-m", "mypy", str(probe)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True)
    assert message in done.stdout, done.stdout


def test_a_lock_leaves_the_indexes_of_a_user_alone(db: SQLAlchemy) -> None:
    """SQLite writes all of them anew when the id is set, also to the same: forty times the time of the lock."""
    user = make_user()
    with recorded_queries(db.engine) as queries:
        lock_unchanged(db.session, user)
        lock_row(db.session, user)
    updates = [query for query in queries if query.startswith("UPDATE")]
    assert len(updates) == 2
    assert all(query.startswith("UPDATE users SET access_version=users.access_version ") for query in updates)
