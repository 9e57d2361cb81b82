"""What is encrypted: a stolen copy of the database opens no account, and the keys can be rotated."""

import json
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from app import backups, encrypted_data
from app.kit.auth import totp
from app.kit.core.data_keys import UnreadableError, decrypt, encrypt
from app.models import AuthenticatorApp, Email, Flow, User, UserSession
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
from tests.factories import browser_of, let_in, make_user

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
        assert Flow.with_token("second_step", text) is None
        assert User.with_token("reset_password", text) is None
    monkeypatch.setitem(app.config, "DATA_KEYS", ["the thief has no key" * 2])
    for text in stolen:
        with pytest.raises(UnreadableError):
            decrypt(text)
    assert half.get(SECOND_STEP).status_code == 200


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
    assert "5 secrets are encrypted with the first key." in result.output
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
