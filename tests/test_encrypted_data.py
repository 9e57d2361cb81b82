"""What is encrypted: a stolen copy of the database opens no account, and the keys can be rotated."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from app import backups, email, encrypted_data, factor_removals
from app.kit.auth import totp
from app.kit.core.data_keys import UnreadableError, decrypt, encrypt
from app.kit.db.database import utc_now
from app.mailed_codes import code_for, read_link
from app.models import AuthenticatorApp, Email, FactorRemoval, Flow, User, UserSession
from app.models.flow import digest
from app.second_factors import use_code
from tests.account.mailed import mailed_link
from tests.account.second_factors import (
    APP_PAGE,
    CODES_PAGE,
    SECOND_STEP,
    first_step,
    shown_codes,
    shown_secret,
    turn_on,
)
from tests.authenticator import Authenticator
from tests.entries import PROVIDER, Person, by_passkey
from tests.factories import browser_of, let_in, make_admin, make_invited, make_user
from tests.servers.identity_provider import start_identity_provider

OLD, NEW = "an old key that is long enough for all", "a new key that is long enough for all"


@pytest.fixture
def runner(app: Flask, db: SQLAlchemy) -> FlaskCliRunner:
    """Return a runner for commands in the tests' application."""
    return app.test_cli_runner()


def texts_in(value: object) -> Iterator[str]:
    """Return every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)


def dump(file: Path) -> set[str]:
    """Return every text of a backup of the whole database."""
    backups.back_up(file, lambda _line: None)
    with ZipFile(file) as archive:
        lines = [line for name in archive.namelist() if name.endswith(".jsonl") for line in archive.open(name)]
    return {text for line in lines for text in texts_in(json.loads(line))}


def test_a_stolen_dump_makes_no_code_no_session_and_no_link(
    app: Flask, client: FlaskClient, db: SQLAlchemy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, newcomer, half = make_user(), make_user(), app.test_client()
    let_in(client, user)
    secret, codes = turn_on(client, user)
    # Everything that is under way at this moment, too.
    client.post(CODES_PAGE)
    unsaved = shown_codes(client.get(CODES_PAGE).text)
    other = browser_of(app, newcomer)
    other.post(APP_PAGE)
    second_secret = shown_secret(other.get(APP_PAGE).text)
    first_step(half, user)
    half.post("/account/reset-password", data={"email": newcomer.email})
    link = mailed_link("reset_password").rpartition("/")[2]

    stolen = dump(tmp_path / "stolen.zip")

    whole = "\n".join(stolen)
    assert user.email in whole
    for value in (secret, second_secret):
        for text in (totp.as_text(value), value.hex(), value.decode("latin-1")):
            assert text not in whole
    assert not [code for code in [*codes, *unsaved] if code in whole or code.replace("-", "") in whole]
    with client.session_transaction() as cookie:
        assert not [value for value in cookie.values() if isinstance(value, str) and len(value) > 9 and value in stolen]
    assert link not in whole
    # Whatever the thief tries with it, on the site itself.
    for text in stolen:
        assert UserSession.with_token(text) is None
        assert use_code(user, text) is None
        assert Flow.query.filter_by(token_hash=digest(text)).first() is None
        assert User.with_token("reset_password", text) is None
    monkeypatch.setitem(app.config, "DATA_KEYS", ["the thief has no key" * 2])
    for text in stolen:
        with pytest.raises(UnreadableError):
            decrypt(text)
    assert half.get(SECOND_STEP).status_code == 200


PURPOSES = ("confirm", "change_email", "reset_password", "invite")


def test_a_stolen_dump_continues_no_other_way_in(
    app: Flask, client: FlaskClient, db: SQLAlchemy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAGIC_LINK", True)
    user, invited, unconfirmed, admin = make_user(), make_invited(), make_user(confirmed=False), make_admin()
    email.confirm.send(unconfirmed)
    email.invite.send(invited)
    email.new_device.send(user, browser="A browser", ip_address="192.0.2.1", time="now")
    factor_removals.begin(user, admin, "a reason", utc_now())
    without = make_user()
    without.password_hash = None
    own = browser_of(app, without)
    own.post("/account/confirm-password/code")
    with start_identity_provider() as provider:
        monkeypatch.setitem(app.config, "PROVIDERS", {"example": provider.settings()})
        person = Person(user, client, provider)
        person.add_factors("passkey")
        client.post("/account/email-code", data={"email": user.email})
        challenge = (client.post("/account/login/passkey").json or {})["challenge"]
        by_provider_only_begun = parse_qs(urlsplit(client.post(PROVIDER).headers["Refresh"]).query)["state"][0]
        provider.person = {"sub": "new", "email": "new@example.org", "email_verified": True}
        client.get(provider.choose(client.post(PROVIDER).headers["Refresh"].removeprefix("0; url=")))
    kinds = {"mailed_code", "confirm", "invite", "new_device", "factor_removal"}
    links = {mailed_link(kind).rpartition("/")[2] for kind in kinds}
    codes = {code_for(flow.purpose, flow.data["nonce"]) for flow in Flow.query if "nonce" in flow.data}
    purposes = set(db.session.scalars(select(Flow.purpose)))
    assert purposes == {"mailed_code", "sudo_code", "passkey", "provider", "provider_sign_up"}

    stolen = dump(tmp_path / "stolen.zip")

    whole = "\n".join(stolen)
    assert all(address in whole for address in (user.email, invited.email, unconfirmed.email, "new@example.org"))
    for secret in links | codes | {challenge, by_provider_only_begun}:
        assert secret not in whole
    with client.session_transaction() as cookie:
        assert not [value for value in cookie.values() if isinstance(value, str) and len(value) > 9 and value in stolen]
    # Flows, browsers, sessions and recovery codes are digests, and nothing in there is what one was made of.
    assert not stolen & {digest(text) for text in stolen}
    for text in stolen:
        assert not [each for each in PURPOSES if User.with_token(each, text)]
        assert (User.with_not_me_token(text), FactorRemoval.with_token(text), read_link(text)) == (None, None, None)
    # The public half of a passkey, with a key of the thief's own and a fresh challenge.
    thief, copy = app.test_client(), Authenticator()
    copy.credential_id, copy.handle = person.authenticator.credential_id, person.authenticator.handle
    assert by_passkey(Person(user, thief, provider, copy)).location == "/account/login"
    assert by_passkey(person).location == "/", "which its owner can"


def test_rotating_the_keys_encrypts_everything_with_the_first(
    app: Flask, runner: FlaskCliRunner, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypted_data, "ROWS_AT_ONCE", 2)
    monkeypatch.setitem(app.config, "DATA_KEYS", [OLD])
    users = [make_user() for _ in range(5)]
    db.session.add_all(AuthenticatorApp(user_id=user.id, encrypted_secret=encrypt(user.uid.encode())) for user in users)
    db.session.commit()
    monkeypatch.setitem(app.config, "DATA_KEYS", [NEW, OLD])
    interrupted = encrypted_data.encrypt_anew()
    next(interrupted)
    interrupted.close()

    result = runner.invoke(args=["rotate_data_keys"])

    assert result.exit_code == 0, result.output
    assert "5 secrets encrypted with the first key." in result.output
    monkeypatch.setitem(app.config, "DATA_KEYS", [NEW])
    db.session.expire_all()
    secrets = {
        row.user_id: decrypt(row.encrypted_secret).decode() for row in db.session.scalars(select(AuthenticatorApp))
    }
    assert secrets == {user.id: user.uid for user in users}
    assert encrypted_data.is_readable()
    monkeypatch.setitem(app.config, "DATA_KEYS", [OLD])
    assert not encrypted_data.is_readable()
    lost = runner.invoke(args=["rotate_data_keys"])
    assert (lost.exit_code, "5 cannot be read" in lost.output) == (1, True)


def test_a_user_who_is_locked_out_is_let_in_again(
    app: Flask, client: FlaskClient, runner: FlaskCliRunner, db: SQLAlchemy
) -> None:
    user = make_user()
    let_in(client, user)
    turn_on(client, user)
    assert runner.invoke(args=["reset_second_factor", "nobody@example.org"]).exit_code == 1
    assert runner.invoke(args=["reset_second_factor", user.email], input="n\n").exit_code == 1
    assert client.get("/account/manage").status_code == 200

    result = runner.invoke(args=["reset_second_factor", user.email.upper(), "--yes"])

    assert result.exit_code == 0, result.output
    assert client.get("/account/manage").status_code == 302
    assert first_step(client, user).location == "/"
    mail = db.session.scalars(select(Email).order_by(Email.id.desc())).first()
    assert mail is not None
    assert "on the command line" in mail.context["what"]
    again = runner.invoke(args=["reset_second_factor", user.email, "--yes"])
    assert (again.exit_code, again.output.splitlines()[-1]) == (1, f"Error: {user.email} has no second factor.")
