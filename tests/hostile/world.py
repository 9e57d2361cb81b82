"""The rows and people that attacks on this application meet; rows of a fork's tables come by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Column, Date, DateTime, Integer, Numeric, String, Table, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from app import factor_removals
from app.email import catalog, confirm
from app.extensions import db
from app.kit.auth.provider_settings import Provider
from app.kit.core.data_keys import encrypt
from app.kit.db.database import utc_now
from app.kit.mail.message import build_message
from app.models import (
    AuditEvent,
    AuthenticatorApp,
    DataExport,
    EditableHTML,
    Passkey,
    RecoveryCode,
    User,
    UserSession,
)
from app.models.flow import digest
from tests.account.mailed import mailed_link
from tests.account.second_factors import APP_PAGE, CODES_PAGE, first_step
from tests.conftest import KEPT_TABLES
from tests.factories import let_in, make_admin, make_flow, make_invited, make_user
from tests.hostile.attacker import World
from tests.hostile.kept_rows import kept_rows

MAIL_NAME = "hostile.eml"
# The provider is down: the tests of its answers are in tests/account/test_providers.py.
PROVIDERS = {"example": Provider("example", "Example", "http://localhost:1", "an id", "a secret")}
EVERY_WAY_IN = {"MAGIC_LINK": True, "MAGIC_LINK_FOR_ADMINISTRATORS": True, "PROVIDERS": PROVIDERS}


@contextmanager
def world_of(app: Flask) -> Iterator[World]:
    """Yield each kind of person and row, in a database that was empty, on a site with every way in."""
    with pytest.MonkeyPatch.context() as settings:
        for name, value in EVERY_WAY_IN.items():
            settings.setitem(app.config, name, value)
        yield from _world_of(app)


def _world_of(app: Flask) -> Iterator[World]:
    user, admin = make_user(), make_admin()
    other, unconfirmed, invited = make_user(), make_user(confirmed=False), make_invited()
    UserSession.start(user, False, "203.0.113.7", "a browser")
    confirm.send(unconfirmed)
    db.session.add_all([EditableHTML(editor_name="about", value="Hello"), DataExport(user_id=user.id, content="{}")])
    AuditEvent.record("user.disabled", subject=other)
    factor_removals.begin(other, admin, "a reason", utc_now())
    db.session.commit()
    cookies = {
        "administrator": _cookie_of(app, admin),
        "user": _cookie_of(app, user),
        "anonymous": _half_in(app, other),
    }
    _fill_empty_tables(user)
    _write_mail(app)
    tokens = [*_tokens_for(user, unconfirmed, invited), *map(_token_in, ("mailed_code", "factor_removal"))]
    # A page that is for visitors only shows nobody else which text opens it: the first one is taken then.
    texts = [*PROVIDERS, *tokens, other.uid, MAIL_NAME, next(iter(catalog.emails))]
    with kept_rows(db) as rows:
        yield World(cookies, numbers=[other.id, *_row_numbers()], texts=texts, put_back=rows.put_back)


def _half_in(app: Flask, user: User) -> str:
    """Return the cookie of a visitor who has begun to log in and to sign up, in each way that goes on later."""
    client = app.test_client()
    db.session.add(AuthenticatorApp(user_id=user.id, encrypted_secret=encrypt(b"a secret")))
    _add_passkey(user)
    db.session.add(RecoveryCode(user_id=user.id, code_hash=digest("a code")))
    first_step(client, user)
    client.post("/account/email-code", data={"email": user.email})
    client.post("/account/login/passkey")
    client.post("/account/second-factor/passkey")
    with client.session_transaction() as session:
        identity = {"issuer": "https://id.example", "subject": "7"}
        make_flow(session["browser"], "provider_sign_up", provider="example", next="", identity=identity)
    db.session.commit()
    return _cookie_in(app, client)


def _add_passkey(user: User) -> None:
    handle = user.uid.encode()
    db.session.add(Passkey(user_id=user.id, credential_id=handle, user_handle=handle, public_key=b"-", name="A key"))


def _token_in(kind: str) -> str:
    return mailed_link(kind).rpartition("/")[2]


def _tokens_for(user: User, unconfirmed: User, invited: User) -> list[str]:
    return [
        unconfirmed.generate_confirmation_token(),
        user.generate_password_reset_token(),
        user.generate_email_change_token("new@example.org"),
        user.generate_not_me_token(user.email),
        invited.generate_invitation_token(),
    ]


def _cookie_of(app: Flask, user: User) -> str:
    client = app.test_client()
    let_in(client, user)
    # The set-up of an app and of recovery codes is under way.
    db.session.add(
        Passkey(user_id=user.id, credential_id=user.uid.encode(), user_handle=b"-", public_key=b"-", name="A")
    )
    client.post(APP_PAGE)
    client.post(CODES_PAGE)
    client.post("/account/passkeys/new", data={"name": "A key"})
    return _cookie_in(app, client)


def _cookie_in(app: Flask, client: FlaskClient) -> str:
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    return f"{name}={cookie.value}"


def _write_mail(app: Flask) -> None:
    place = app.config["MAILBOX_DIR"]
    place.mkdir(exist_ok=True)
    message = build_message(
        sender="Kit <kit@example.org>",
        recipient="ada@example.org",
        subject="Hello",
        text="Hello",
        html="<p>Hello</p>",
        message_id="<hostile@example.org>",
    )
    (place / MAIL_NAME).write_bytes(message.content)


def _row_numbers() -> list[int]:
    """Return the ids of a few rows of each table."""
    numbers: set[int] = set()
    for table in db.metadata.sorted_tables:
        keys = list(table.primary_key)
        if len(keys) == 1 and isinstance(keys[0].type, Integer) and table.name not in KEPT_TABLES:
            numbers |= set(db.session.scalars(select(keys[0]).order_by(keys[0]).limit(3)))
    return sorted(numbers)


def _fill_empty_tables(owner: User) -> None:
    """Give each table that has no row one of ``owner``'s, so that the pages of a fork's rows are found."""
    for table in db.metadata.sorted_tables:
        if not db.session.scalar(select(func.count()).select_from(table)):
            try:
                with db.session.begin_nested():
                    db.session.execute(insert(table).values(_sample_row(table, owner)))
            except SQLAlchemyError:
                pass  # it has a rule that a made-up row breaks: its pages are attacked without a row
    db.session.commit()


def _sample_row(table: Table, owner: User) -> dict[str, Any]:
    return {
        column.name: _sample_value(column, owner)
        for column in table.columns
        if column is not table.autoincrement_column and column.default is None
    }


def _sample_value(column: Column[Any], owner: User) -> Any:
    for key in column.foreign_keys:
        if key.column.table.name == "users":
            return owner.id
        return db.session.scalar(select(key.column).limit(1))
    if isinstance(column.type, DateTime) or "DateTime" in type(column.type).__name__:
        return utc_now() - timedelta(minutes=1)
    if isinstance(column.type, Date):
        return utc_now().date()
    if isinstance(column.type, String):
        return "sample"[: column.type.length]
    return 1 if isinstance(column.type, Integer | Numeric) else None if column.nullable else 0
