"""A browser in which the user has logged in before has its own limit on guesses, and no other privilege."""

import time
from base64 import urlsafe_b64decode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from werkzeug.test import TestResponse

from app.models import User, delete_user
from tests.factories import PASSWORD, make_user, sign_in

pytestmark = pytest.mark.usefixtures("limits", "db")

COOKIE = "known_browser"
WRONG, NEW_PASSWORD = "wrong", "nanosecond wire in hand"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def login(client: FlaskClient, email: str, password: str = WRONG, ip: str = HOME) -> int:
    form = {"email": email, "password": password}
    return client.post("/account/login", data=form, environ_overrides={"REMOTE_ADDR": ip}).status_code


def known(app: Flask, user: User, password: str = PASSWORD) -> FlaskClient:
    """Return a browser in which ``user`` was logged in once."""
    client = app.test_client()
    sign_in(client, user, password)
    return logged_out(client)


def logged_out(client: FlaskClient) -> FlaskClient:
    client.post("/account/logout")
    return client


def keep_out(app: Flask, email: str) -> None:
    """Use up the guesses of unknown browsers for this email address."""
    answers = [login(app.test_client(), email, ip=f"203.0.113.{number}") for number in range(6)]
    assert answers[-1] == 429


def with_cookie(app: Flask, value: str) -> FlaskClient:
    client = app.test_client()
    client.set_cookie(COOKIE, value)
    return client


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value


def test_strangers_who_guess_do_not_keep_the_owner_out(app: Flask) -> None:
    user = make_user()
    client = known(app, user)
    keep_out(app, user.email)
    assert login(app.test_client(), user.email, PASSWORD) == 429
    assert login(client, user.email, PASSWORD) == 302


def test_neither_do_those_behind_the_same_network_address(app: Flask) -> None:
    user = make_user()
    client = known(app, user)
    guesses = [login(app.test_client(), f"nobody{number}@example.org") for number in range(40)]
    assert guesses == [200] * 10 + [429] * 30
    assert login(app.test_client(), make_user().email, PASSWORD) == 429
    assert login(client, user.email, PASSWORD) == 302


def test_it_has_five_guesses_of_its_own_and_leaves_the_others_theirs(app: Flask) -> None:
    user = make_user()
    client, other = known(app, user), known(app, user)
    assert [login(client, user.email) for _ in range(6)] == [200] * 5 + [429]
    assert login(client, user.email, PASSWORD) == 429
    assert login(with_cookie(app, cookie_of(client)), user.email, PASSWORD, ELSEWHERE) == 429, "a copy shares its count"
    assert login(other, user.email, PASSWORD) == 302
    assert login(app.test_client(), user.email, PASSWORD) == 302


def test_logging_in_again_gives_no_new_guesses(app: Flask) -> None:
    user = make_user()
    client = known(app, user)
    for _ in range(4):
        login(client, user.email)
    sign_in(client, user)
    logged_out(client)
    assert [login(client, user.email) for _ in range(2)] == [200, 429]


def test_it_logs_nobody_in(app: Flask) -> None:
    client = known(app, make_user())
    assert client.get("/account/manage").status_code == 302
    assert client.post("/account/login", data={"email": "", "password": ""}).status_code == 200


def test_the_cookie_of_another_user_is_worth_nothing(app: Flask) -> None:
    user = make_user()
    thief = known(app, make_user())
    keep_out(app, user.email)
    assert login(thief, user.email, PASSWORD) == 429
    assert login(thief, "nobody@example.org") == 200
    keep_out(app, "nobody@example.org")
    assert login(thief, "nobody@example.org") == 429


def test_not_even_where_both_have_one_hash(app: Flask, db: SQLAlchemy) -> None:
    user, other = make_user(), make_user()
    other.password_hash = user.password_hash  # as with the users that `add_fake_data` makes
    db.session.commit()
    thief = known(app, other)
    keep_out(app, user.email)
    assert login(thief, user.email, PASSWORD) == 429


@pytest.mark.parametrize("change", ["", "x", "cut", "signature", "two", "\x7f", "é" * 300])
def test_a_forged_one_is_worth_nothing(app: Flask, change: str) -> None:
    user = make_user()
    cookie = cookie_of(known(app, user))
    forged = {"cut": cookie[:-9], "signature": f"{cookie[:-1]}{'A' if cookie[-2] != 'A' else 'B'}x", "two": cookie * 2}
    keep_out(app, user.email)
    assert login(with_cookie(app, forged.get(change, change)), user.email, PASSWORD) == 429


@pytest.mark.parametrize("purpose", ["reset_password", "confirm", "not_me"])
def test_a_mailed_link_is_no_such_cookie(app: Flask, purpose: str) -> None:
    user = make_user()
    tokens = {
        "reset_password": user.generate_password_reset_token,
        "confirm": user.generate_confirmation_token,
        "not_me": lambda: user.generate_not_me_token(user.email),
    }
    token = tokens[purpose]()
    keep_out(app, user.email)
    assert login(with_cookie(app, token), user.email, PASSWORD) == 429


def test_it_ends_after_a_year(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    client = known(app, user)
    in_a_year = time.time() + 366 * 24 * 3600
    monkeypatch.setattr("app.kit.auth.tokens.time", lambda: in_a_year)
    keep_out(app, user.email)
    assert login(client, user.email, PASSWORD) == 429


def test_a_deleted_users_cookie_is_worth_nothing_for_who_has_the_address_next(app: Flask, db: SQLAlchemy) -> None:
    user = make_user(email="ada@example.org")
    client = known(app, user)
    delete_user(user)
    db.session.commit()
    next_user = make_user(email="ada@example.org")
    keep_out(app, next_user.email)
    assert login(client, next_user.email, PASSWORD) == 429


def change_password(client: FlaskClient) -> TestResponse:
    form = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    return client.post("/account/manage/change-password", data=form)


def test_a_new_password_ends_it_everywhere_but_where_it_was_chosen(app: Flask) -> None:
    user = make_user()
    thief = known(app, user)
    owner = app.test_client()
    sign_in(owner, user)
    assert change_password(owner).status_code == 302
    logged_out(owner)
    keep_out(app, user.email)
    assert login(thief, user.email, PASSWORD) == 429
    assert login(owner, user.email, NEW_PASSWORD) == 302


def test_a_reset_makes_the_browser_known_so_that_guessing_strangers_keep_nobody_out(app: Flask) -> None:
    user = make_user()
    keep_out(app, user.email)
    owner = app.test_client()
    page = owner.get(f"/account/reset-password/{user.generate_password_reset_token()}").location
    owner.post(page, data={"new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD})
    assert login(owner, user.email, NEW_PASSWORD) == 302


def test_it_names_no_address_and_no_row(app: Flask) -> None:
    user = make_user(email="lovelace@example.org")
    value = cookie_of(known(app, user))
    content = urlsafe_b64decode(value.split(".")[0] + "==").decode()
    assert user.uid in content
    assert "lovelace" not in content
    assert user.password_hash not in content
