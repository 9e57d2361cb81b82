"""A stranger cannot tell who has an account: same status, same page, same hashes, same queries."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import User
from tests.account.mailed import mailed_link
from tests.factories import PASSWORD, make_invited, make_user, sign_in
from tests.queries import recorded_queries

KNOWN, UNKNOWN = "known@example.org", "other@example.org"
NEW_PASSWORD = "nanosecond wire in hand"

# The token of the page's forms looks different in every response.
MASKED_ANEW = re.compile(r'name="csrf_token" value="[^"]+"')

Attempt = Callable[[FlaskClient, str], TestResponse]


def log_in(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/login", data={"email": address, "password": "wrong password"})


def register(client: FlaskClient, address: str) -> TestResponse:
    person = {"first_name": "Grace", "last_name": "Hopper", "email": address}
    return client.post("/account/register", data={**person, "password": NEW_PASSWORD, "password2": NEW_PASSWORD})


def ask_for_reset(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/reset-password", data={"email": address})


def ask_for_other_address(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/manage/change-email", data={"email": address, "password": PASSWORD})


@contextmanager
def counted_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    hashes: list[str] = []
    for name in ("hash", "verify"):
        original = getattr(PasswordHasher, name)

        def counting(self: PasswordHasher, *args: object, _original: Callable = original, _name: str = name) -> object:
            hashes.append(_name)
            return _original(self, *args)

        monkeypatch.setattr(PasswordHasher, name, counting)
    yield hashes
    monkeypatch.undo()


def observed(app: Flask, client: FlaskClient, attempt: Attempt, address: str, monkeypatch: pytest.MonkeyPatch) -> dict:
    """Answer all that a stranger sees of an attempt, and the work that its time would betray."""
    db.session.remove()
    with counted_hashes(monkeypatch) as hashes, recorded_queries(db.engine) as statements:
        answer = attempt(client, address)
    page = client.get(answer.location) if answer.location else answer
    return {
        "status": answer.status_code,
        "location": answer.location,
        "page": MASKED_ANEW.sub("TOKEN", page.text.replace(address, "ADDRESS")),
        "hashes": len(hashes),
        "statements": sorted(statement.split("(")[0][:40] for statement in statements),
    }


@pytest.fixture(autouse=True)
def _warm(app: Flask, client: FlaskClient) -> None:
    """The hash of nothing and the site's caches are made once; no first request shall look different."""
    for attempt in (log_in, ask_for_reset):
        attempt(client, "warm@example.org")
    client.get("/account/login")


@pytest.mark.parametrize("attempt", [log_in, register, ask_for_reset])
def test_a_known_and_an_unknown_address_look_alike(
    app: Flask, client: FlaskClient, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(email=KNOWN)
    for_known = observed(app, app.test_client(), attempt, KNOWN, monkeypatch)
    for_unknown = observed(app, app.test_client(), attempt, UNKNOWN, monkeypatch)
    assert for_known == for_unknown
    assert for_known["hashes"] == (0 if attempt is ask_for_reset else 1)


@pytest.mark.parametrize("kind", ["disabled", "invited"])
def test_a_login_without_a_chance_looks_alike(
    app: Flask, client: FlaskClient, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_invited(email=KNOWN) if kind == "invited" else make_user(email=KNOWN)
    if kind == "disabled":
        user.disable("spam")
        db.session.commit()
    for_known = observed(app, app.test_client(), log_in, KNOWN, monkeypatch)
    assert for_known == observed(app, app.test_client(), log_in, UNKNOWN, monkeypatch)


def test_a_taken_and_a_free_new_address_look_alike(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(email=KNOWN)
    make_user(email="asking@example.org")
    views = []
    for address in (KNOWN, UNKNOWN):
        client = app.test_client()
        sign_in(client, User.with_email("asking@example.org"))
        views.append(observed(app, client, ask_for_other_address, address, monkeypatch))
    assert views[0] == views[1]
    assert views[0]["hashes"] == 1
    assert mailed_link("already_registered", recipient=KNOWN)
    assert mailed_link("change_email", recipient=UNKNOWN)
