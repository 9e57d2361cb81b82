"""Tests for changing and resetting the password, and for the notices about it."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.email import reset_password as reset_email
from app.extensions import db
from app.models import Email, User
from tests.account.mailed import mailed_kinds, mailed_link
from tests.account.test_sign_in import is_logged_in, session_cookie
from tests.factories import PASSWORD, make_user, sign_in

NEW_PASSWORD = "nanosecond wire in hand"
NEW = {"new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD}


def requested_link(client: FlaskClient, user: User) -> str:
    client.post("/account/reset-password", data={"email": user.email})
    return mailed_link("reset_password")


def test_a_forgotten_password_is_reset_by_mail(app: Flask, client: FlaskClient) -> None:
    user, thief = make_user(), app.test_client()
    sign_in(thief, user)
    link = requested_link(client, user)
    shown = client.get(link)
    assert shown.location == "/account/reset-password/form", "the token leaves the address"
    form = client.get(shown.location)
    assert form.headers["Referrer-Policy"] == "no-referrer"
    assert form.headers["Cache-Control"] == "no-store"
    assert b"too easy" in client.post(shown.location, data={"new_password": "aaaaaaaaaaaa"}).data
    assert client.post(shown.location, data=NEW).location == "/account/login"
    assert user.verify_password(NEW_PASSWORD)
    assert not is_logged_in(app, session_cookie(thief))
    assert mailed_kinds() == ["reset_password", "password_changed"]


def test_a_reset_link_works_once(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    link = requested_link(client, user)
    second = app.test_client()
    for browser in (client, second):
        browser.get(link)
    client.post("/account/reset-password/form", data=NEW)
    answer = second.post("/account/reset-password/form", data=NEW, follow_redirects=True)
    assert b"not valid" in answer.data
    assert b"not valid" in client.get(link, follow_redirects=True).data


def test_a_reset_proves_the_address_too(client: FlaskClient) -> None:
    user = make_user(confirmed=False)
    client.get(requested_link(client, user))
    client.post("/account/reset-password/form", data=NEW)
    assert user.confirmed


def test_a_change_of_address_or_password_kills_the_link(client: FlaskClient) -> None:
    user = make_user()
    link = requested_link(client, user)
    user.email = "elsewhere@example.org"
    db.session.commit()
    assert b"not valid" in client.get(link, follow_redirects=True).data


def test_the_form_without_a_token_is_refused(client: FlaskClient) -> None:
    assert b"not valid" in client.post("/account/reset-password/form", data=NEW, follow_redirects=True).data


def test_the_mail_goes_to_the_stored_address(client: FlaskClient) -> None:
    make_user(email="Ada@Example.org")
    client.post("/account/reset-password", data={"email": "ada@example.ORG"})
    assert mailed_link("reset_password", recipient="Ada@Example.org")


def test_an_unknown_address_gets_no_mail(client: FlaskClient) -> None:

    client.post("/account/reset-password", data={"email": "nobody@example.org"})
    row = db.session.scalar(select(Email))
    assert reset_email.compose(row) is None


def test_a_known_password_is_changed_and_other_browsers_are_out(app: Flask, client: FlaskClient) -> None:
    user, elsewhere = make_user(), app.test_client()
    sign_in(elsewhere, user)
    sign_in(client, user)
    cookie = session_cookie(elsewhere)
    page = client.post("/account/manage/change-password", data={"old_password": "wrong", **NEW})
    assert b"old password is wrong" in page.data
    assert user.verify_password(PASSWORD)
    assert client.post("/account/manage/change-password", data={"old_password": PASSWORD, **NEW}).status_code == 302
    assert user.verify_password(NEW_PASSWORD)
    assert client.get("/account/manage").status_code == 200
    assert not is_logged_in(app, cookie)
    assert mailed_kinds() == ["password_changed"]


def test_a_password_like_the_name_is_refused(client: FlaskClient) -> None:
    user = make_user(first_name="Grace", last_name="Hopper")
    sign_in(client, user)
    weak = {"old_password": PASSWORD, "new_password": "gracehopper1", "new_password2": "gracehopper1"}
    assert b"too easy" in client.post("/account/manage/change-password", data=weak).data
    assert user.verify_password(PASSWORD)
