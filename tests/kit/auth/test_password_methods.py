"""Tests for password hashing methods: parsed, refused when too expensive, and cached for a minute."""

import hashlib

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from app.kit.auth import password_methods
from app.kit.auth.password_methods import MethodsInUse, hash_of_nobody, is_computed, method_of
from app.kit.auth.passwords import hash_password, verify_password

PASSWORD = "nanosecond wire in hand"
ARGON2 = "$argon2id$v=19$m=19456,t=2,p=1$"
COMPUTED = [
    ARGON2,
    "$argon2i$v=19$m=65536,t=3,p=4$",
    "pbkdf2:sha1:1000$",
    "pbkdf2:sha256:50000$",
    "pbkdf2:sha256:1000000$",
    "pbkdf2:sha512:1000$",
    "pbkdf2:sha256$",
    "scrypt:32768:8:1$",
    "scrypt$",
]
REFUSED = [
    "",
    "$",
    "plain$",
    "md5$",
    "$2b$",
    "pbkdf2_sha256$260000$",
    "pbkdf2:sha256:0$",
    "pbkdf2:sha256:1000000000$",
    "pbkdf2:sha256:99999999999999999999$",
    "pbkdf2:sha256:-1$",
    "pbkdf2:nothing:1000$",
    "scrypt:1048576:8:1$",
    "scrypt:32768:8:999$",
    "scrypt:0:8:1$",
    "$argon2id$v=19$m=99999999,t=1,p=1$",
    "$argon2id$v=19$m=8,t=999999999,p=1$",
    "$argon2id$v=19$m=8,t=0,p=1$",
    "!pbkdf2:sha256:1000$",
]


def test_a_method_stands_before_salt_and_digest(app: Flask) -> None:
    assert method_of(generate_password_hash("x", method="pbkdf2:sha256:1000")) == "pbkdf2:sha256:1000$"
    assert method_of(generate_password_hash("x", method="scrypt:1024:8:1")) == "scrypt:1024:8:1$"
    with app.app_context():
        assert method_of(hash_password(PASSWORD)) == "$argon2id$v=19$m=8,t=1,p=1$"
    assert [method_of(nothing) for nothing in (None, "", "garbage", "a$b")] == [None] * 4


@pytest.mark.parametrize("method", COMPUTED)
def test_known_methods_are_computed(method: str) -> None:
    assert is_computed(method)
    assert method_of(hash_of_nobody(method)) == method


@pytest.mark.parametrize("method", REFUSED)
def test_absurd_and_unknown_ones_are_not(bare_app: Flask, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pbkdf2_hmac", "scrypt"):
        monkeypatch.delattr(hashlib, name)
    assert not is_computed(method)
    assert not verify_password(f"{method}salt$digest", PASSWORD)


@pytest.mark.parametrize("method", ["pbkdf2:sha256:1000$", "scrypt:1024:8:1$", "$argon2id$v=19$m=8,t=1,p=1$"])
def test_no_password_fits_the_hash_of_nobody(bare_app: Flask, method: str) -> None:
    assert not verify_password(hash_of_nobody(method), PASSWORD)


def test_what_a_fork_chose_for_today_is_never_too_costly(bare_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_methods, "MAX_ARGON2_KIB_PASSES", 1)
    assert verify_password(hash_password(PASSWORD), PASSWORD)


def test_the_methods_are_asked_for_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [1000.0], list[float]()
    monkeypatch.setattr(password_methods.time, "monotonic", lambda: now[0])

    def find() -> list[str]:
        asked.append(now[0])
        return [ARGON2]

    methods = MethodsInUse(find)
    for now[0] in (1000.0, 1030.0, 1059.9, 1060.0, 1061.0):
        assert methods() == {ARGON2}
    assert asked == [1000.0, 1060.0]


def test_refused_methods_are_told_once_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    methods = MethodsInUse(lambda: [ARGON2, "hunter2!", "plain$$pass!"])
    for _ in range(3):
        assert methods() == {ARGON2}
        methods.forget()
    (record,) = caplog.records
    assert record.getMessage().startswith("2 methods of password hashes")
    assert "hunter2" not in caplog.text
