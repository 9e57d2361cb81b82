"""Tests for confirming the password: an interrupted form is kept, shown again filled in, and sent again."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app.extensions import db
from app.kit.db.database import utc_now
from app.models import User, UserSession
from tests.factories import PASSWORD, make_admin, make_user, sign_in


@pytest.fixture
def other() -> User:
    return make_user(email="before@example.org")


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    """Return a browser whose administrator last gave the password sixteen minutes ago."""
    sign_in(client, make_admin())
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(minutes=16)))
    db.session.commit()
    return client


def test_what_was_typed_is_on_the_form_after_the_password(admin: FlaskClient, other: User) -> None:
    page = f"/admin/user/{other.id}/change-email"
    stopped = admin.post(page, data={"email": "after@example.org", "submit": "x"})
    assert stopped.location == f"/account/confirm-password?next={page}"
    assert other.email == "before@example.org"
    back = admin.post(stopped.location, data={"password": PASSWORD})
    assert back.location == page
    assert 'value="after@example.org"' in admin.get(page).text
    assert 'value="after@example.org"' not in admin.get(page).text, "it is shown once"
    admin.post(page, data={"email": "after@example.org"})
    assert other.email == "after@example.org"


def test_a_kept_form_fills_no_other_page(admin: FlaskClient, other: User) -> None:
    admin.post(f"/admin/user/{other.id}/change-email", data={"email": "after@example.org"})
    admin.post("/account/confirm-password", data={"password": PASSWORD})
    assert "after@example.org" not in admin.get(f"/admin/user/{make_user().id}/change-email").text
    assert "after@example.org" not in admin.get("/account/manage/change-email").text


def test_neither_passwords_nor_tokens_are_kept(admin: FlaskClient, other: User) -> None:
    form = {"email": "a@example.org", "password": "canary", "new_password2": "canary", "csrf_token": "canary"}
    admin.post(f"/admin/user/{other.id}/change-email", data=form)
    with admin.session_transaction() as session:
        assert "a@example.org" in str(session)
        assert "canary" not in str(session)


def test_what_is_too_long_for_a_cookie_is_said_to_be_lost(admin: FlaskClient, other: User) -> None:
    stopped = admin.post(f"/admin/user/{other.id}/change-email", data={"email": "x" * 5000})
    assert b"too long to keep" in admin.get(stopped.location).data


def test_a_wrong_password_opens_nothing(admin: FlaskClient, other: User) -> None:
    page = f"/admin/user/{other.id}/change-email"
    assert b"Wrong password" in admin.post("/account/confirm-password", data={"password": "wrong"}).data
    assert admin.post(page, data={"email": "after@example.org"}).status_code == 302
    assert other.email == "before@example.org"


def test_a_stranger_is_not_asked_for_a_password_but_to_log_in(client: FlaskClient) -> None:
    assert client.post("/account/sessions/end-others").location.startswith("/account/login")
