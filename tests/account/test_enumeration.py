"""An anonymous visitor cannot find out who has an account: same status, page, number of hashes and queries."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.extensions import db
from app.kit.auth.provider_settings import Provider
from app.kit.db.database import utc_now
from app.models import Email, RecipientLimit, User, Way
from tests.account.mailed import mailed_link
from tests.factories import PASSWORD, make_admin, make_flow, make_invited, make_user, sign_in
from tests.queries import recorded_queries
from tests.test_sign_in import set_up

KNOWN, UNKNOWN = "known@example.org", "other@example.org"
NEW_PASSWORD = "nanosecond wire in hand"

# The CSRF token is masked anew in every response.
MASKED_ANEW = re.compile(r'name="csrf_token" value="[^"]+"')

Attempt = Callable[[FlaskClient, str], TestResponse]


def log_in(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/login", data={"email": address, "password": "wrong password"})


def log_in_rightly(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/login", data={"email": address, "password": PASSWORD})


def register(client: FlaskClient, address: str) -> TestResponse:
    person = {"first_name": "Grace", "last_name": "Hopper", "email": address}
    return client.post("/account/register", data={**person, "password": NEW_PASSWORD, "password2": NEW_PASSWORD})


def log_in_after_signing_up(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/login", data={"email": address, "password": NEW_PASSWORD})


def open_unconfirmed(client: FlaskClient, _address: str) -> TestResponse:
    return client.get("/account/unconfirmed")


def send_again(client: FlaskClient, _address: str) -> TestResponse:
    return client.post("/account/confirm-account")


def _let_the_mail_leave(_client: FlaskClient, address: str) -> None:
    """Mark the emails to this address as sent, and act as if a minute had passed."""
    db.session.execute(update(Email).where(Email.recipient == address).values(state="sent"))
    limit = db.session.scalars(select(RecipientLimit).where(RecipientLimit.address == address)).one()
    limit.slots = [slot - 60 for slot in limit.slots]
    db.session.commit()


def ask_for_reset(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/reset-password", data={"email": address})


def ask_for_other_address(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/manage/change-email", data={"email": address, "password": PASSWORD})


def ask_for_code(client: FlaskClient, address: str) -> TestResponse:
    return client.post("/account/email-code", data={"email": address})


def type_wrong_code(client: FlaskClient, _address: str) -> TestResponse:
    return client.post("/account/email-code/enter", data={"code": "wrong"})


def wait_for_code(client: FlaskClient, _address: str) -> TestResponse:
    return client.get("/account/email-code/enter")


def sign_up_with_provider(client: FlaskClient, address: str) -> TestResponse:
    """Send the form after a provider that has verified no address."""
    with client.session_transaction() as session:
        session["browser"] = address
    identity = {"issuer": "https://id.example", "subject": address}
    make_flow(address, "provider_sign_up", provider="example", next="", identity=identity)
    person = {"first_name": "Grace", "last_name": "Hopper", "email": address}
    return client.post("/account/register/provider", data=person)


def ask_for_passkey(client: FlaskClient, address: str) -> TestResponse:
    """Ask for a challenge with the address typed beside the button, then show the page that waits for a second one."""
    options = client.post("/account/login/passkey", data={"email": address}).json or {}
    assert options.pop("challenge")
    assert options == {"rpId": "localhost", "allowCredentials": [], "userVerification": "required"}
    return client.get("/account/second-factor")


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
    """Return all that a visitor sees of an attempt, and the hashes and queries that its timing would reveal."""
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
    """Fill the caches and make the dummy hash, so that the first request does not look different."""
    app.extensions["password_methods"].forget()  # which are looked up once a minute, else perhaps in the next request
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


OWNERS = {
    "nobody": lambda _address: None,
    "user": lambda address: make_user(email=address),
    "sign-up": lambda address: make_user(email=address, confirmed=False),
    "invited": lambda address: make_invited(email=address),
    "promoted": lambda address: make_admin(email=address, confirmed=False),
    "administrator": lambda address: make_admin(email=address),
    "disabled": lambda address: make_user(email=address, confirmed=False, disabled_at=utc_now()),
    "well protected": lambda address: set_up(db, make_user(email=address), Way.APP, Way.PASSKEY, Way.RECOVERY_CODE),
    "without a password": lambda address: _remove_password(make_user(email=address)),
}


def _remove_password(user: User) -> None:
    user.password_hash = None
    db.session.commit()


def seen_by_newcomers(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    attempt: Attempt,
    before: tuple[Attempt, ...] = (),
    host: str = "example",
) -> dict[str, dict]:
    """Return what an attempt shows for each kind of owner of the address, after the attempts ``before`` it."""
    seen = {}
    for owner, make in OWNERS.items():
        address = f"{owner.replace(' ', '.')}@{host}.org"
        make(address)
        client = app.test_client()
        for earlier in before:
            earlier(client, address)
        seen[owner] = observed(app, client, attempt, address, monkeypatch)
    return seen


@pytest.mark.parametrize(
    ("attempt", "before"),
    [
        (register, ()),
        (register, (register,)),
        (log_in_after_signing_up, (register,)),
        (open_unconfirmed, (register,)),
        (send_again, (register,)),
        (send_again, (register, _let_the_mail_leave)),
        (register, (register, *[_let_the_mail_leave, register] * 5)),
        (log_in_after_signing_up, (register, send_again)),
    ],
)
def test_a_sign_up_and_what_follows_look_alike_whoever_owns_the_address(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, attempt: Attempt, before: tuple[Attempt, ...]
) -> None:
    seen = seen_by_newcomers(app, monkeypatch, attempt, before)
    for owner, view in seen.items():
        assert view == seen["nobody"], owner
    assert seen["nobody"]["hashes"] == (1 if attempt in {register, log_in_after_signing_up} else 0)
    assert seen["nobody"]["status"] in {200, 302}
    assert before == () or attempt is register or "ADDRESS" in seen["nobody"]["page"]


@pytest.mark.parametrize(
    ("attempt", "before"),
    [
        (ask_for_code, ()),
        (ask_for_code, (ask_for_code,)),
        (ask_for_code, (ask_for_code, _let_the_mail_leave)),
        (ask_for_code, (*[ask_for_code, _let_the_mail_leave] * 5,)),
        (wait_for_code, (ask_for_code,)),
        (type_wrong_code, (ask_for_code,)),
        (type_wrong_code, (ask_for_code, *[type_wrong_code] * 2)),
        (type_wrong_code, (ask_for_code, *[type_wrong_code] * 3)),
    ],
)
def test_asking_for_a_code_and_what_follows_looks_alike_whoever_owns_the_address(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, attempt: Attempt, before: tuple[Attempt, ...]
) -> None:
    with pytest.MonkeyPatch.context() as setting:
        setting.setitem(app.config, "MAGIC_LINK", True)
        seen = seen_by_newcomers(app, monkeypatch, attempt, before)
    for owner, view in seen.items():
        assert view == seen["nobody"], owner
    assert seen["nobody"]["hashes"] == 0
    assert Email.query.count() >= len(OWNERS)


def test_a_sign_up_with_a_provider_looks_alike_whoever_owns_the_address(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as setting:
        setting.setitem(
            app.config, "PROVIDERS", {"example": Provider("example", "Example", "https://id.example", "", "")}
        )
        seen = seen_by_newcomers(app, monkeypatch, sign_up_with_provider)
        again = seen_by_newcomers(app, monkeypatch, open_unconfirmed, (sign_up_with_provider,), "again")
    for owner in OWNERS:
        assert (seen[owner], again[owner]) == (seen["nobody"], again["nobody"]), owner
    assert (seen["nobody"]["location"], again["nobody"]["status"]) == ("/account/unconfirmed", 200)


@pytest.mark.parametrize("attempt", [log_in, ask_for_reset, ask_for_passkey])
def test_what_protects_an_account_does_not_show_before_the_password(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, attempt: Attempt
) -> None:
    seen = seen_by_newcomers(app, monkeypatch, attempt)
    assert {owner for owner, view in seen.items() if view != seen["nobody"]} == set()


@pytest.mark.parametrize("kind", ["disabled", "invited", "unconfirmed"])
def test_a_login_without_a_chance_looks_alike(
    app: Flask, client: FlaskClient, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_known = kind != "unconfirmed"
    user = make_invited(email=KNOWN) if kind == "invited" else make_user(email=KNOWN, confirmed=is_known)
    if kind == "disabled":
        user.disable("spam")
        db.session.commit()
    for attempt in (log_in, log_in_rightly):
        for_known = observed(app, app.test_client(), attempt, KNOWN, monkeypatch)
        assert for_known == observed(app, app.test_client(), attempt, UNKNOWN, monkeypatch)


def test_a_taken_and_a_free_new_address_look_alike(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(email=KNOWN)
    sign_in(client, make_user(email="asking@example.org"))  # the first login is greeted in other words
    views = []
    for address in (KNOWN, UNKNOWN):
        client = app.test_client()
        sign_in(client, User.with_email("asking@example.org"))
        views.append(observed(app, client, ask_for_other_address, address, monkeypatch))
    assert views[0] == views[1]
    assert views[0]["hashes"] == 1
    assert mailed_link("already_registered", recipient=KNOWN)
    assert mailed_link("change_email", recipient=UNKNOWN)
