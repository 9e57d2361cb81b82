"""Tests for users: email addresses, names, passwords, and the last administrator."""

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.exc import IntegrityError
from werkzeug.security import generate_password_hash

from app.models import User
from tests.factories import PASSWORD, make_admin, make_invited, make_user


def test_a_password_can_be_set_and_verified_but_not_read(db: SQLAlchemy) -> None:
    user = make_user()
    assert user.verify_password(PASSWORD)
    assert not user.verify_password(PASSWORD + "x")
    assert (user.password_hash or "").startswith("$argon2id$")
    with pytest.raises(AttributeError):
        _ = user.password


def test_an_invited_user_has_no_password_that_could_be_right(db: SQLAlchemy) -> None:
    user = make_invited()
    assert user.is_invited
    assert not user.verify_password("")
    assert not user.verify_password(PASSWORD)


@pytest.mark.parametrize("method", ["pbkdf2:sha256:1000", "scrypt:1024:8:1"])
def test_an_old_hash_verifies_and_is_renewed(db: SQLAlchemy, method: str) -> None:
    user = make_user()
    user.password_hash = generate_password_hash(PASSWORD, method=method)
    assert not user.verify_password("wrong")
    assert not user.password_hash.startswith("$argon2id$")
    assert user.verify_password(PASSWORD)
    assert user.password_hash.startswith("$argon2id$")


def test_the_renewal_of_a_hash_gives_way_to_a_new_password(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    user.password_hash = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
    db.session.commit()
    assert user.password_hash
    with app.app_context():  # another request, while this one verifies the password
        db.session.get_one(User, user.id).password = "quite-another-long-sentence"
        db.session.commit()
    assert user.verify_password(PASSWORD)
    db.session.commit()
    assert user.verify_password("quite-another-long-sentence")


def test_an_address_is_found_whatever_its_case(db: SQLAlchemy) -> None:
    user = make_user(email="Ada@example.org")
    assert User.with_email(" aDA@EXAMPLE.org ") is user
    assert User.with_email("grace@example.org") is None


def test_an_address_is_unique_whatever_its_case(db: SQLAlchemy) -> None:
    make_user(email="Ada@example.org")
    with pytest.raises(IntegrityError):
        make_user(email="aDA@example.org")
    db.session.rollback()


def test_an_address_is_demanded_by_the_database(db: SQLAlchemy) -> None:
    with pytest.raises(IntegrityError):
        make_user(email=None)
    db.session.rollback()


@pytest.mark.parametrize(("first", "last", "full"), [("Ada", "Wren", "Ada Wren"), ("Ada", "", "Ada"), ("", "", "")])
def test_full_name(first: str, last: str, full: str) -> None:
    user = User.__new__(User)
    user.__dict__.update(first_name=first, last_name=last)
    assert User.full_name(user) == full


def test_an_id_is_never_used_again(db: SQLAlchemy) -> None:
    first = make_user()
    first_id = first.id
    db.session.delete(first)
    db.session.commit()
    assert make_user().id > first_id


def test_who_is_the_last_administrator(db: SQLAlchemy) -> None:
    admin = make_admin()
    assert not make_user().is_last_administrator()
    assert admin.is_last_administrator()
    second = make_admin()
    assert not admin.is_last_administrator()
    second.disable("left")
    db.session.commit()
    assert admin.is_last_administrator()
    assert not second.is_last_administrator()
