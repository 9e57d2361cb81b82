"""A login computes the same hashes and queries whatever is wrong with it, also while old hashes remain."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from werkzeug.security import generate_password_hash

from app.models import User
from app.models.user import password_methods
from tests.factories import PASSWORD, make_invited, make_user
from tests.queries import recorded_queries

OLD = ["pbkdf2:sha256:1000", "pbkdf2:sha1:500", "scrypt:1024:8:1"]
STRONGER = "$argon2id$v=19$m=16,t=2,p=1$"
WRONG = "wrong password"


@pytest.fixture(autouse=True)
def _methods(app: Flask) -> Iterator[None]:
    """Clear the cached password methods before and after each test."""
    app.extensions["password_methods"].forget()
    yield
    app.extensions["password_methods"].forget()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Return a list that grows by each hash computed, with the parameters that decide its cost."""
    hashes: list[tuple[object, ...]] = []
    pbkdf2, scrypt, verify, make = hashlib.pbkdf2_hmac, hashlib.scrypt, PasswordHasher.verify, PasswordHasher.hash

    def count_pbkdf2(name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        hashes.append(("pbkdf2", name, iterations))
        return pbkdf2(name, password, salt, iterations)

    def count_scrypt(password: bytes, *, n: int, r: int, p: int, **rest: Any) -> bytes:
        hashes.append(("scrypt", n, r, p))
        return scrypt(password, n=n, r=r, p=p, **rest)

    def count_verify(self: PasswordHasher, encoded: str, password: bytes) -> bool:
        hashes.append(("argon2", encoded.split("$")[3]))
        return verify(self, encoded, password)

    def count_hash(self: PasswordHasher, password: bytes) -> str:
        hashes.append(("argon2", "new"))
        return make(self, password)

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", count_pbkdf2)
    monkeypatch.setattr(hashlib, "scrypt", count_scrypt)
    monkeypatch.setattr(PasswordHasher, "verify", count_verify)
    monkeypatch.setattr(PasswordHasher, "hash", count_hash)
    return hashes


def with_hash(password_hash: str | None, **attributes: object) -> User:
    user = make_user(**attributes)
    user.password_hash = password_hash
    return user


def people(app: Flask) -> dict[str, tuple[str, str]]:
    """Return an email address and a password for each way in which a login can fail."""
    old = {method: with_hash(generate_password_hash(PASSWORD, method=method)) for method in OLD}
    disabled = with_hash(generate_password_hash(PASSWORD, method=OLD[0]))
    disabled.disable("spam")
    stronger = with_hash(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD))
    return {
        "unknown": ("nobody@example.org", WRONG),
        "argon2": (make_user().email, WRONG),
        "argon2 with other parameters": (stronger.email, WRONG),
        **{method: (user.email, WRONG) for method, user in old.items()},
        "invited": (make_invited().email, WRONG),
        "disabled": (disabled.email, WRONG),
        "disabled, right password": (disabled.email, PASSWORD),
        "broken hash": (with_hash("garbage").email, WRONG),
        "absurd hash": (with_hash("pbkdf2:sha256:1000000000$salt$digest").email, PASSWORD),
    }


def test_every_login_that_fails_takes_the_same_hashes_and_queries(
    app: Flask, db: SQLAlchemy, computed: list[tuple[object, ...]]
) -> None:
    who = people(app)
    db.session.commit()
    work = {}
    app.test_client().post("/account/login", data={"email": "first@example.org", "password": WRONG})
    for kind, (email, password) in who.items():
        computed.clear()
        db.session.remove()
        with recorded_queries(db.engine) as statements:
            answer = app.test_client().post("/account/login", data={"email": email, "password": password})
        assert answer.status_code == 200
        work[kind] = (sorted(map(str, computed)), len(statements))
    assert len({str(done) for done in work.values()}) == 1, work
    assert work["unknown"][0] == sorted(
        map(
            str,
            [
                ("argon2", "m=8,t=1,p=1"),
                ("argon2", "m=16,t=2,p=1"),
                ("pbkdf2", "sha256", 1000),
                ("pbkdf2", "sha1", 500),
                ("scrypt", 1024, 8, 1),
            ],
        )
    )


def test_once_the_last_old_hash_is_renewed_a_login_takes_one_hash(
    app: Flask, db: SQLAlchemy, computed: list[tuple[object, ...]]
) -> None:
    user = with_hash(generate_password_hash(PASSWORD, method=OLD[0]))
    db.session.commit()
    assert app.test_client().post("/account/login", data={"email": user.email, "password": PASSWORD}).location == "/"
    app.extensions["password_methods"].forget()
    for email in (user.email, "nobody@example.org"):
        computed.clear()
        app.test_client().post("/account/login", data={"email": email, "password": WRONG})
        assert computed == [("argon2", "m=8,t=1,p=1")]


def test_the_methods_in_the_database_are_found(db: SQLAlchemy) -> None:
    assert password_methods() == []
    hashes = [*(generate_password_hash("x", method=method) for method in OLD), "garbage", None, "", "!locked"]
    for password_hash in [*hashes, *hashes]:
        with_hash(password_hash)
    make_user()
    with_hash("$2b$12$9Zl.mP5Jm0cJ8yqk0yGZ/e0cZ1o9Hq9xkYVbq8m2hYQvJ5m0a1b2C")
    with_hash(f"{STRONGER}c2FsdHNhbHQ$ZGlnZXN0+ZGln/ZXN0")
    db.session.commit()
    known = {*(f"{method}$" for method in OLD), "$argon2id$v=19$m=8,t=1,p=1$", STRONGER, "$2b$"}
    assert known <= set(password_methods())
    assert len(password_methods()) <= len(known) + 2
