"""Tests for sessions: rows that end, after which their cookies are worthless."""

from datetime import timedelta

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select

from app.kit.db.database import utc_now
from app.models import User, UserSession
from tests.factories import make_user
from tests.queries import recorded_queries


@pytest.fixture
def user(db: SQLAlchemy) -> User:
    return make_user()


def start(db: SQLAlchemy, user: User, remembered: bool = False) -> tuple[UserSession, str]:
    row, token = UserSession.start(user, remembered, "192.0.2.1", "Mozilla/5.0")
    db.session.commit()
    return row, token


def test_a_token_finds_its_user_and_is_not_stored(db: SQLAlchemy, user: User) -> None:
    row, token = start(db, user)
    assert UserSession.with_token(token) is row
    assert token not in str(row.__dict__.values())


def test_one_query_brings_session_user_and_role(db: SQLAlchemy, user: User) -> None:
    _, token = start(db, user)
    db.session.remove()
    with recorded_queries(db.engine) as statements:
        row = UserSession.with_token(token)
        assert row is not None
        assert row.user.role is not None
        assert row.user.role.name == "User"
    assert len(statements) == 1


@pytest.mark.parametrize("token", ["", "x", "\x00"])
def test_other_tokens_find_nobody(db: SQLAlchemy, user: User, token: str) -> None:
    start(db, user)
    assert UserSession.with_token(token) is None


@pytest.mark.parametrize(
    ("remembered", "age", "idle", "alive"),
    [
        (False, timedelta(hours=11), timedelta(0), True),
        (False, timedelta(hours=13), timedelta(0), False),
        (True, timedelta(days=29), timedelta(0), True),
        (True, timedelta(days=31), timedelta(0), False),
        (True, timedelta(days=20), timedelta(days=13), True),
        (True, timedelta(days=20), timedelta(days=15), False),
    ],
)
def test_limits_of_age_and_idleness(
    db: SQLAlchemy, user: User, remembered: bool, age: timedelta, idle: timedelta, alive: bool
) -> None:
    row, token = start(db, user, remembered)
    row.created_at, row.last_seen_at = utc_now() - age, utc_now() - idle
    db.session.commit()
    assert (UserSession.with_token(token) is not None) is alive
    over = db.session.scalar(select(func.count()).select_from(UserSession).where(UserSession.is_over()))
    assert over == (0 if alive else 1)


def test_a_disabled_user_is_not_found(db: SQLAlchemy, user: User) -> None:
    _, token = start(db, user)
    user.disable("spam")
    db.session.commit()
    assert UserSession.with_token(token) is None


def test_ending_all_but_one(db: SQLAlchemy, user: User) -> None:
    kept, kept_token = start(db, user)
    _, ended_token = start(db, user)
    _, strangers_token = start(db, make_user())
    UserSession.end_all(user, except_id=kept.id)
    db.session.commit()
    assert UserSession.with_token(kept_token) is not None
    assert UserSession.with_token(ended_token) is None
    assert UserSession.with_token(strangers_token) is not None


def test_deleting_a_user_deletes_the_sessions(db: SQLAlchemy, user: User) -> None:
    _, token = start(db, user)
    db.session.delete(user)
    db.session.commit()
    assert UserSession.with_token(token) is None
