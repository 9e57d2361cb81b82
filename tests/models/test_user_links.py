"""Tests for links in emails: each works once, for one purpose, one user and a limited time."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from app.extensions import db
from app.models import User
from tests.factories import PASSWORD, make_invited, make_user

NEW_PASSWORD = "quite-another-long-sentence"


def confirm(user: User, token: str) -> bool:
    return user.confirm_account(token)


def change_email(user: User, token: str) -> bool:
    return user.change_email(token)


def reset_password(user: User, token: str) -> bool:
    return user.reset_password(token, NEW_PASSWORD)


def accept_invitation(user: User, token: str) -> bool:
    redeemed = user.redeem_invitation(token, NEW_PASSWORD)
    db.session.commit()
    return redeemed


def make_email_change_token(user: User, expiration: int = 3600) -> str:
    return user.generate_email_change_token("new@example.org", expiration)


LINKS = [
    pytest.param(User.generate_confirmation_token, confirm, id="confirm"),
    pytest.param(make_email_change_token, change_email, id="change_email"),
    pytest.param(User.generate_password_reset_token, reset_password, id="reset_password"),
    pytest.param(User.generate_invitation_token, accept_invitation, id="invite"),
]
Make = Callable[..., str]
Use = Callable[[User, str], bool]


@pytest.fixture
def user(db: SQLAlchemy) -> User:
    return make_invited()


@pytest.mark.parametrize(("make", "use"), LINKS)
def test_a_link_works_once(user: User, make: Make, use: Use) -> None:
    token = make(user)
    assert use(user, token)
    assert not use(user, token)


def test_a_used_link_stays_dead_when_the_user_moves_back(user: User) -> None:
    old_address, token = user.email, make_email_change_token(user)
    assert user.change_email(token)
    assert user.change_email(user.generate_email_change_token(old_address))
    assert not user.change_email(token)


@pytest.mark.parametrize(("make", "use"), LINKS)
def test_a_link_dies_of_age(user: User, make: Make, use: Use) -> None:
    assert not use(user, make(user, expiration=0))


@pytest.mark.parametrize(("make", "use"), LINKS)
def test_a_link_is_for_one_person(user: User, make: Make, use: Use) -> None:
    assert not use(make_invited(), make(user))


@pytest.mark.parametrize(("make", "use"), LINKS)
def test_a_link_dies_when_the_address_changes(db: SQLAlchemy, user: User, make: Make, use: Use) -> None:
    token = make(user)
    user.email = "elsewhere@example.org"
    db.session.commit()
    assert not use(user, token)


@pytest.mark.parametrize(("make", "use"), LINKS)
@pytest.mark.parametrize(("other_make", "_other_use"), LINKS)
def test_a_link_is_for_one_purpose(user: User, make: Make, use: Use, other_make: Make, _other_use: Use) -> None:
    assert use(user, other_make(user)) is (make is other_make)


@pytest.mark.parametrize(("make", "use"), LINKS)
@pytest.mark.parametrize("token", ["", "x", "a.b", "\ud800", "e30.e30", "null", "W10.x" * 500])
def test_garbage_is_refused_quietly(user: User, make: Make, use: Use, token: str) -> None:
    assert not use(user, token)


@pytest.mark.parametrize(("make", "use"), LINKS)
def test_another_deployments_link_is_dead(app: Flask, user: User, make: Make, use: Use) -> None:
    own_key, app.config["SECRET_KEY"] = app.config["SECRET_KEY"], "k" * 40
    token = make(user)
    app.config["SECRET_KEY"] = own_key
    assert not use(user, token)


@pytest.mark.parametrize(("make", "use"), LINKS)
def test_a_link_survives_the_rotation_of_the_key(
    app: Flask, user: User, make: Make, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make(user)
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [app.config["SECRET_KEY"]])
    monkeypatch.setitem(app.config, "SECRET_KEY", "n" * 40)
    assert use(user, token)


def test_a_reset_link_dies_when_the_password_changes(db: SQLAlchemy) -> None:
    user = make_user()
    token = user.generate_password_reset_token()
    user.password = NEW_PASSWORD
    db.session.commit()
    assert User.with_token("reset_password", token) is None


def test_an_address_taken_meanwhile_is_not_given_twice(db: SQLAlchemy) -> None:
    user = make_user()
    token = user.generate_email_change_token("wanted@example.org")
    make_user(email="Wanted@example.org")
    assert not user.change_email(token)
    assert user.verify_password(PASSWORD)


def test_a_link_names_neither_id_nor_address(user: User) -> None:
    from base64 import urlsafe_b64decode

    payload = urlsafe_b64decode(user.generate_confirmation_token().split(".")[0] + "==").decode()
    assert user.email not in payload
    assert payload.startswith(f'["{user.uid}"')
