"""Tests for logging in and out, and for what ends a session."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from app.extensions import db
from app.models import KnownDevice, UserSession
from tests.account.mailed import mailed_kinds, mailed_link
from tests.factories import PASSWORD, make_invited, make_user, sign_in

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}
REFUSAL = b"Wrong email address or password."


def session_cookie(client: FlaskClient) -> str:
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def is_logged_in(app: Flask, cookie: str) -> bool:
    copy = app.test_client()
    copy.set_cookie("session", cookie)
    return copy.get("/account/manage").status_code == 200


def test_the_right_password_opens_and_a_wrong_one_does_not(client: FlaskClient) -> None:
    user = make_user()
    page = client.post("/account/login", data={"email": user.email, "password": "wrong"})
    assert REFUSAL in page.data
    assert user.email in page.text, "the form keeps what was typed"
    assert client.get("/account/manage").status_code == 302
    sign_in(client, user)
    assert client.get("/account/manage").status_code == 200


def test_password_managers_know_which_field_is_which(client: FlaskClient) -> None:
    page = client.get("/account/login").text
    assert 'autocomplete="username webauthn"' in page
    assert 'autocomplete="current-password"' in page


def test_the_address_may_be_typed_in_another_case(client: FlaskClient) -> None:
    user = make_user(email="Ada@Example.org")
    client.post("/account/login", data={"email": "aDA@example.ORG ", "password": PASSWORD})
    assert client.get("/account/manage").status_code == 200
    assert user.email == "Ada@Example.org"


def test_a_disabled_user_and_an_invited_one_get_the_text_of_a_wrong_password(client: FlaskClient) -> None:
    disabled, invited = make_user(), make_invited()
    disabled.disable("spam")
    db.session.commit()
    for user, password in ((disabled, PASSWORD), (invited, ""), (invited, PASSWORD)):
        page = client.post("/account/login", data={"email": user.email, "password": password or " "})
        assert REFUSAL in page.data


def test_next_leads_back_to_where_one_was(client: FlaskClient) -> None:
    wanted = client.get("/account/sessions").location
    assert wanted == "/account/login?next=/account/sessions"
    user = make_user()
    assert client.post(wanted, data={"email": user.email, "password": PASSWORD}).location == "/account/sessions"


def test_without_remember_me_the_cookie_ends_with_the_browser(client: FlaskClient) -> None:
    sign_in(client, make_user())
    assert client.get_cookie("session").expires is None
    client.post("/account/logout")
    sign_in(client, make_user(), remember=True)
    assert client.get_cookie("session").expires is not None


def test_a_copied_cookie_is_dead_after_logout(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_user(), remember=True)
    cookie = session_cookie(client)
    assert is_logged_in(app, cookie)
    answer = client.post("/account/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert not is_logged_in(app, cookie)


def test_logout_needs_a_post(client: FlaskClient) -> None:
    sign_in(client, make_user())
    assert client.get("/account/logout").status_code == 405


def test_a_planted_session_does_not_become_a_logged_in_one(csrf_app: Flask, client: FlaskClient) -> None:
    user = make_user()
    with client.session_transaction() as planted:
        planted["planted"] = "x"
    before = client.get("/account/login")
    with client.session_transaction() as session:
        token_before = session["csrf_token"]
    form = {"email": user.email, "password": PASSWORD, "csrf_token": csrf_token_in(before.text)}
    client.post("/account/login", data=form)
    client.get("/account/manage/change-password")
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["csrf_token"] != token_before


def csrf_token_in(page: str) -> str:
    return page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]


def test_an_old_hash_is_renewed_at_login(client: FlaskClient) -> None:
    user = make_user()
    user.password_hash = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
    db.session.commit()
    sign_in(client, user)
    assert user.password_hash.startswith("$argon2id$")
    client.post("/account/logout")
    sign_in(client, user)


def test_only_a_new_browser_of_a_known_user_is_worth_a_notice(client: FlaskClient) -> None:
    user = make_user()
    sign_in(client, user)
    client.post("/account/logout")
    sign_in(client, user)
    client.post("/account/logout")
    assert mailed_kinds() == []
    client.post("/account/login", data={"email": user.email, "password": PASSWORD}, headers=FIREFOX)
    assert mailed_kinds() == ["new_device"]
    labels = db.session.scalars(select(KnownDevice.label).where(KnownDevice.user_id == user.id))
    assert "Firefox on Linux" in list(labels)


def test_this_was_not_me_ends_every_session_and_starts_a_reset(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    sign_in(app.test_client(), user)
    client.post("/account/login", data={"email": user.email, "password": PASSWORD}, headers=FIREFOX)
    cookie = session_cookie(client)
    link = mailed_link("new_device")
    owner = app.test_client()
    assert b"This was not me" in owner.get(link).data
    assert is_logged_in(app, cookie), "opening the link must change nothing"
    owner.post(link)
    assert not is_logged_in(app, cookie)
    assert not user.verify_password(PASSWORD), "who knew the password is out"
    assert mailed_kinds() == ["new_device", "reset_password"]
    assert b"not valid" in owner.post(link, follow_redirects=True).data


@pytest.mark.parametrize("path", ["/account/login", "/account/register", "/account/reset-password"])
def test_pages_for_visitors_send_others_home(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200
    sign_in(client, make_user())
    assert client.get(path).location == "/"


def test_a_login_is_one_row_and_logging_in_again_another(client: FlaskClient) -> None:
    user = make_user()
    sign_in(client, user)
    row = db.session.scalar(select(UserSession).where(UserSession.user_id == user.id))
    assert row.ip_address == "127.0.0.1"
    assert session_cookie(client).find(row.token_hash) == -1


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"])
def test_next_never_leads_away(client: FlaskClient, target: str) -> None:
    form = {"email": make_user().email, "password": PASSWORD}
    assert client.post("/account/login", query_string={"next": target}, data=form).location == "/"
