"""Hashing and judging passwords."""

import threading
import time
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask
from werkzeug.security import generate_password_hash

from app.kit.auth import passwords
from app.kit.auth.passwords import (
    TooManyHashesError,
    assess,
    hash_password,
    needs_rehash,
    personal_words,
    verify_password,
)

PASSWORD = "nanosecond wire in hand"


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def test_production_hashes_with_owasps_minimum() -> None:
    from config import Config

    class Environment(Config):
        def _read_database(self, env: object) -> None:
            """None is needed."""

    settings = Environment({})
    assert (settings.ARGON2_MEMORY_COST, settings.ARGON2_TIME_COST) == (19456, 2)
    assert passwords._hasher_with(2, 19456).hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", [PASSWORD, "п" * 128, "a\x00b", "\ud800", "\u202e", "👩" * 50])
def test_a_password_fits_its_own_hash_only(password: str) -> None:
    password_hash = hash_password(password)
    assert verify_password(password_hash, password)
    assert not verify_password(password_hash, password + "x")
    assert not verify_password(password_hash, "")
    assert hash_password(password) != password_hash, "salted"


@pytest.mark.parametrize(
    "password_hash", [None, "", "garbage", "$argon2id$broken", "scrypt:broken", "md5$a$b", "x$y$z"]
)
def test_a_broken_hash_fits_nothing(password_hash: str | None) -> None:
    assert not verify_password(password_hash, "")
    assert not verify_password(password_hash, PASSWORD)


@pytest.mark.parametrize("method", ["pbkdf2:sha256:1000", "scrypt:1024:8:1"])
def test_werkzeugs_hashes_verify_and_want_renewal(method: str) -> None:
    old = generate_password_hash(PASSWORD, method=method)
    assert verify_password(old, PASSWORD)
    assert not verify_password(old, "wrong")
    assert needs_rehash(old)
    assert not needs_rehash(hash_password(PASSWORD))


def test_a_third_hash_waits_and_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAIT_SECONDS", 0.05)
    for _ in range(passwords._HASHES_AT_ONCE):
        passwords._gate.acquire()
    try:
        with pytest.raises(TooManyHashesError):
            hash_password(PASSWORD)
    finally:
        for _ in range(passwords._HASHES_AT_ONCE):
            passwords._gate.release()
    assert hash_password(PASSWORD)


def test_a_flood_of_logins_is_answered_503(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAIT_SECONDS", 0.05)
    gate = threading.BoundedSemaphore(1)
    monkeypatch.setattr(passwords, "_gate", gate)
    with gate:
        answer = app.test_client().post("/account/login", data={"email": "ada@example.org", "password": "x"})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "at least 12"),
        ("x" * 11, "at least 12"),
        (PASSWORD, None),
        (PASSWORD * 6, "at most 128"),
        ("password1234", "too easy"),
        ("aaaaaaaaaaaaaaaaaaaa", "too easy"),
        ("п" * 12, "too easy"),
        ("\x00" * 12, "too easy"),
    ],
)
def test_the_rule(password: str, problem: str | None) -> None:
    strength = assess(password)
    assert strength.acceptable is (problem is None)
    assert problem is None or problem in strength.problem


@pytest.mark.parametrize("password", ["adalovelace1", "ada@lovelace.org", "flaskbase2026", "Flask-Base-1"])
def test_names_and_the_sites_own_are_no_secret(password: str) -> None:
    assert not assess(password, personal_words("Ada", "Lovelace", "ada@lovelace.org")).acceptable


def test_advice_comes_with_the_score() -> None:
    strength = assess("password1234")
    assert strength.score < 3
    assert strength.advice


@pytest.mark.parametrize("password_hash", [None, "", "a hash"])
def test_verifying_takes_one_hash_even_when_there_is_none(
    password_hash: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, hashes = hash_password(PASSWORD) if password_hash else password_hash, []
    for name in ("hash", "verify"):
        original = getattr(PasswordHasher, name)
        monkeypatch.setattr(PasswordHasher, name, lambda *args, o=original: (hashes.append(o), o(*args))[1])
    verify_password(known, "wrong")
    assert len(hashes) == 1


@pytest.mark.parametrize("password", ["4@8({[<3690#!1|0$+7%2" * 4, "@|$+483691057" * 9, "12" * 64, "a" * 100_000])
def test_judging_never_keeps_a_worker_busy(password: str) -> None:
    novel = " ".join(f"word{number}" for number in range(50_000))
    assess("loads the word lists")
    begun = time.process_time()
    assess(password, personal_words(novel))
    assert time.process_time() - begun < 0.8


@pytest.mark.parametrize("password", ["wR4#tY9!kQ2$|<%+", "(7{x}[9]<@!p)"])
def test_signs_that_count_as_strange_leave_a_good_password_good(password: str) -> None:
    assert assess(password).acceptable
