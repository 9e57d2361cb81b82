"""Tests for the audit log: filters by person, event and time."""

import re
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app.models import AuditEvent, Permission, Role, User
from tests.factories import make_user, sign_in

DISABLED, CHANGED = "Root Keeper disabled Zoe Ash", "Zoe Ash changed the password"


@pytest.fixture
def zoe(admin: User, db: SQLAlchemy) -> User:
    """Return a user with two events in the audit log, on two days."""
    user = make_user(first_name="Zoe", last_name="Ash", email="zoe@example.org")
    AuditEvent.record("user.disabled", subject=user, actor=admin, reason="spam <b>")
    AuditEvent.record("password.changed", subject=user, actor=user)
    db.session.flush()
    for event, day in zip(AuditEvent.query.filter_by(subject=user), (3, 4), strict=True):
        event.created_at = datetime(2026, 5, day, 23, 59, tzinfo=UTC)
    db.session.commit()
    return user


def shown(client: FlaskClient, query: str) -> set[str]:
    """Return which of the two events a query shows."""
    rows = client.get(f"/admin/audit?{query}").text.partition("<tbody>")[2]
    words = re.sub(r"<[^>]+>", "", rows)
    return {name for name in (DISABLED, CHANGED) if name in words}


def test_filters(client: FlaskClient, zoe: User) -> None:
    both = {DISABLED, CHANGED}
    assert shown(client, "") == both
    assert shown(client, "search=zoe@example") == both
    assert shown(client, "search=nobody") == set()
    assert shown(client, "event=user.disabled") == {DISABLED}
    assert shown(client, f"user={zoe.id}") == both
    assert shown(client, "user=999999") == set()
    assert shown(client, "from=2026-05-04&until=2026-05-04") == {CHANGED}
    assert shown(client, "until=2026-05-03") == {DISABLED}


def test_each_header_stands_above_its_cells(client: FlaskClient, zoe: User) -> None:
    head, _, rows = client.get("/admin/audit").text.partition("<thead>")[2].partition("<tbody>")
    words = [" ".join(re.sub(r"<[^>]+>", "", header).split()) for header in re.findall(r"<th.*?</th>", head, re.DOTALL)]
    assert words == re.findall(r'data-label="([^"]+)"', rows)[: len(words)]


def test_a_day_is_one_of_the_readers_time_zone(client: FlaskClient, admin: User, zoe: User, db: SQLAlchemy) -> None:
    admin.time_zone = "Europe/Berlin"  # where it is the next day already
    db.session.commit()
    assert shown(client, "from=2026-05-04&until=2026-05-04") == {DISABLED}
    assert shown(client, "from=2026-05-05&until=2026-05-05") == {CHANGED}
    for query in ("from=0001-01-01", "until=9999-12-31"):
        assert shown(client, query) == {DISABLED, CHANGED}


@pytest.mark.parametrize(
    "query", ["from=x", "until=9999-12-31", "from=0000-00-00", "user=" + "9" * 90, "user=-1", "event=x", "user=٣"]
)
def test_no_filter_breaks_the_page(client: FlaskClient, zoe: User, query: str) -> None:
    assert client.get(f"/admin/audit?{query}").status_code == 200


def test_details_are_shown_as_text(client: FlaskClient, zoe: User) -> None:
    assert "reason: spam &lt;b&gt;" in client.get("/admin/audit").text


def test_people_who_are_gone_leave_no_name(client: FlaskClient, zoe: User) -> None:
    number = zoe.id
    client.post(f"/admin/user/{number}/_delete")
    page = re.sub(r"<[^>]+>", "", client.get("/admin/audit").text)
    assert f"Root Keeper disabled Deleted account {number}" in page
    assert f"Deleted account {number} changed the password" in page
    assert f"Root Keeper deleted Deleted account {number}" in page
    assert "zoe@example.org" not in page


def test_a_role_may_see_the_log_and_nothing_else(client: FlaskClient, db: SQLAlchemy) -> None:
    role = Role(name="Auditor", index="main", permissions=Permission.GENERAL | Permission.VIEW_AUDIT_LOG)
    auditor = make_user()
    auditor.role = role
    db.session.commit()
    sign_in(client, auditor)
    log = client.get("/admin/audit")
    assert log.status_code == 200
    assert "/admin/users" not in log.text, "the menu offers only what opens"
    assert client.get("/admin/users").status_code == 403
    assert client.get(f"/admin/user/{auditor.id}").status_code == 403
    db.session.delete(auditor)
    db.session.delete(role)
    db.session.commit()
