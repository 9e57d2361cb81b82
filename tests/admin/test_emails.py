"""Tests for the pages about emails: what administrators see, what they can do, and what is hidden from them."""

import pytest
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from app import email
from app.models import AuditEvent, Email, Permission, Role, User
from tests.factories import make_user, sign_in


def add_email(db: SQLAlchemy, **columns: object) -> Email:
    row = Email(recipient="ada@example.com", subject="Hello", template="t", **columns)
    db.session.add(row)
    db.session.commit()
    return row


def test_every_email_is_listed_with_its_state_and_error(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    add_email(db, state="dead", attempts=12, last_error="SMTPDataError: <b>554</b>")
    page = client.get("/admin/emails").text
    assert "ada@example.com" in page
    assert "dead" in page
    assert "SMTPDataError: &lt;b&gt;554&lt;/b&gt;" in page


def test_the_list_is_searched_by_address_and_filtered_by_state(
    client: FlaskClient, admin: User, db: SQLAlchemy
) -> None:
    add_email(db, state="dead")
    sent = Email(recipient="bob@example.com", subject="Hello", template="t", state="sent")
    db.session.add(sent)
    db.session.commit()
    assert "bob@" not in client.get("/admin/emails?search=ada").text
    assert "ada@" not in client.get("/admin/emails?state=sent").text
    assert "No such email" in client.get("/admin/emails?state=canceled").text


def test_no_words_and_no_living_link_are_shown(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    user = make_user(email="carol@example.com")
    email.change_email.send(user, new_email="planted-canary@example.com")
    email.reset_password.send(user)
    db.session.commit()
    page = client.get("/admin/emails").text
    assert "carol@example.com" in page
    assert "/account/reset-password/" not in page
    assert "Choose a new password" not in page


def test_a_dead_email_is_sent_again(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    row = add_email(db, state="dead", attempts=12)
    client.post(f"/admin/emails/{row.id}/retry")
    db.session.refresh(row)
    assert (row.state, row.attempts) == ("pending", 0)
    assert recorded(db) == ["email.retried"]


@pytest.mark.parametrize("state", ["sent", "sending"])
def test_what_is_sent_or_being_sent_is_left_alone(client: FlaskClient, admin: User, db: SQLAlchemy, state: str) -> None:
    row = add_email(db, state=state)
    client.post(f"/admin/emails/{row.id}/retry")
    client.post(f"/admin/emails/{row.id}/cancel")
    db.session.refresh(row)
    assert row.state == state
    assert recorded(db) == []


def test_a_waiting_email_is_canceled(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    row = add_email(db)
    client.post(f"/admin/emails/{row.id}/cancel")
    db.session.refresh(row)
    assert row.state == "canceled"
    assert recorded(db) == ["email.canceled"]


def test_an_unknown_email_is_not_found(client: FlaskClient, admin: User) -> None:
    assert client.post("/admin/emails/999999/retry").status_code == 404


@pytest.mark.parametrize(("permission", "status"), [(Permission.MANAGE_EMAILS, 200), (Permission.MANAGE_JOBS, 403)])
def test_the_page_has_a_permission_of_its_own(
    client: FlaskClient, db: SQLAlchemy, permission: Permission, status: int
) -> None:
    helper = Role(name="Helper", index="main", permissions=int(Permission.GENERAL | permission))
    user = make_user()
    user.role = helper
    db.session.commit()
    sign_in(client, user)
    try:
        assert client.get("/admin/emails").status_code == status
        assert client.get("/admin/jobs").status_code == (200 if status == 403 else 403)
        assert client.get("/admin/users").status_code == 403
    finally:
        user.role = Role.for_newcomers()
        db.session.delete(helper)
        db.session.commit()


def recorded(db: SQLAlchemy) -> list[str]:
    """Return what the audit log says about this page."""
    return list(db.session.scalars(select(AuditEvent.event).where(AuditEvent.event.startswith("email."))))
