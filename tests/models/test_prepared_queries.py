"""Tests for queries that are built once: they return the rows of whoever is asked about, and are not built again."""

from collections.abc import Callable

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Select

from app.models import AuditEvent, RecoveryCode, User, UserSession, ways_by_user
from tests.factories import make_user


def logins(user: User) -> object:
    return [login.details["browser"] for login in AuditEvent.logins_of(user, 5)]


def last_seen(user: User) -> object:
    return list(UserSession.last_seen_by_user([user.id]))


def ways(user: User) -> object:
    return ways_by_user([user.id])


@pytest.mark.parametrize("ask", [logins, last_seen, ways])
def test_it_finds_the_rows_of_each_user(
    db: SQLAlchemy, ask: Callable[[User], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, other = make_user(), make_user(email="other@example.org")
    AuditEvent.record("user.logged_in", subject=ada, browser="Firefox")
    UserSession.start(ada, False, "192.0.2.1", "Mozilla/5.0")
    db.session.add(RecoveryCode(user_id=ada.id, code_hash="x"))
    db.session.commit()
    found = ask(ada)
    assert found
    # Nothing is built any more.
    monkeypatch.setattr(Select, "where", None)
    assert not ask(other)
    assert ask(ada) == found
