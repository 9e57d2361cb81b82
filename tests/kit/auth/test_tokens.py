"""Tests for tokens in links: each is for one purpose, one user state and one deployment, for one hour."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from app.kit.auth import tokens
from app.kit.auth.tokens import matches, read, sign

STATE = ("ada@example.org", "hash")
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def test_a_token_says_who_and_what_and_in_which_state() -> None:
    claims = read("reset", sign("reset", "uid", STATE, MINUTE, new_email="x@example.org"))
    assert (claims.uid, claims.data) == ("uid", {"new_email": "x@example.org"})
    assert matches(claims, STATE)
    assert not matches(claims, ("ada@example.org", "other hash"))


def test_another_purpose_is_refused() -> None:
    assert read("confirm", sign("reset", "uid", STATE, MINUTE)) is None


def test_time_ends_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    token = sign("reset", "uid", STATE, MINUTE)
    now = tokens.time()
    monkeypatch.setattr(tokens, "time", lambda: now + 58)
    assert read("reset", token) is not None
    monkeypatch.setattr(tokens, "time", lambda: now + 61)
    assert read("reset", token) is None


def test_another_key_is_refused_and_a_rotated_one_honored(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    token = sign("reset", "uid", STATE, MINUTE)
    old_key = app.config["SECRET_KEY"]
    monkeypatch.setitem(app.config, "SECRET_KEY", "x" * 40)
    assert read("reset", token) is None
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [old_key])
    claims = read("reset", token)
    assert claims is not None
    assert matches(claims, STATE)
    assert read("reset", sign("reset", "uid", STATE, MINUTE)) is not None


def test_no_single_change_of_a_letter_makes_another_good_token() -> None:
    token = sign("reset", "uid", STATE, MINUTE)
    for position in range(len(token) - 1):  # the last character of a signature has four equivalent spellings
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert read("reset", changed) is None


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "é", "\x00", "x" * 100_000, "\ud800", "W10.x", "bnVsbA.x"])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert read("reset", token) is None


@pytest.mark.parametrize("payload", [None, [], [1], {}, "x", [1, 2, "soon", {}], [1, 2, None, {}]])
def test_a_signed_payload_of_another_shape_is_refused(payload: object) -> None:
    assert read("reset", tokens._serializer("reset").dumps(payload)) is None
