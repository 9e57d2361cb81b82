"""Passwords, tokens, cookies and links of every flow are never logged."""

import email as mime
import email.policy
import json
import logging
import re
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from app import email
from app.extensions import db as database
from app.jobs import outbox
from app.kit.auth import totp
from app.kit.core.request_log import JsonFormatter, ReadableFormatter
from app.models import AuditEvent, User
from tests.account.second_factors import code_of, first_step, second_step, turn_on
from tests.authenticator import Authenticator
from tests.factories import let_in, make_admin, make_user, sign_in
from tests.servers.identity_provider import start_identity_provider

FIRST, SECOND, THIRD, WRONG = (
    "canary one in a coal mine",
    "canary two on a wire",
    "canary three sings",
    "canary wrong note",
)

Log = pytest.LogCaptureFixture
TOKEN = re.compile(r"[\w-]{40,}\.[\w-]{20,}")


class Secrets:
    """The secrets of a test, collected as they appear."""

    def __init__(self, app: Flask) -> None:
        self.texts = {FIRST, SECOND, THIRD, WRONG}
        self._mailbox = Path(app.config["MAILBOX_DIR"])

    def of_browser(self, client: FlaskClient) -> None:
        cookie = client.get_cookie("session")
        if cookie is not None:
            self.texts.add(cookie.value)
            with client.session_transaction() as session:
                self.texts |= {str(session[name]) for name in ("_user_id", "csrf_token") if name in session}

    def of_mail(self, kind: str) -> str:
        """Send what waits; return the path of the link in the newest email of this kind."""
        for old in self._mailbox.iterdir():
            old.unlink()
        outbox.deliver(go_on=lambda: True)
        bodies = [self._body(file) for file in self._mailbox.glob("*.eml")]
        for body in bodies:
            self.texts |= set(TOKEN.findall(body))
        return next(link[1] for body in bodies if (link := re.search(rf"https?://[^/\s]+(/account/{kind}/\S+)", body)))

    @staticmethod
    def _body(file: Path) -> str:
        part = mime.message_from_bytes(file.read_bytes(), policy=mime.policy.default).get_body(("plain",))
        assert part is not None
        return part.get_content()


@pytest.fixture
def secrets(app: Flask) -> Secrets:
    return Secrets(app)


@pytest.fixture
def log(caplog: Log) -> Iterator[pytest.LogCaptureFixture]:
    """Yield the log at its most verbose level."""
    caplog.set_level(logging.DEBUG)
    yield caplog
    caplog.set_level(logging.INFO)


def found(log: Log, secrets: Secrets) -> list[str]:
    """Return the log lines, in either format, that contain a secret."""
    formatters = (JsonFormatter(), ReadableFormatter())
    lines = [formatter.format(record) for record in log.records for formatter in formatters]
    assert len(lines) > 10
    return [line for line in lines if any(secret in line for secret in secrets.texts) or TOKEN.search(line)]


def press(client: FlaskClient, path: str, **fields: str) -> int:
    """Open a page, then send its form."""
    client.get(path)
    return client.post(path, data=fields).status_code


def test_joining_and_signing_in(app: Flask, client: FlaskClient, secrets: Secrets, log: Log) -> None:
    person = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.org"}
    assert press(client, "/account/register", **person, password=FIRST, password2=FIRST) == 302
    assert press(client, "/account/register", **person, password=WRONG, password2=SECOND) == 200
    link = secrets.of_mail("confirm-account")
    assert press(client, link) == 302
    assert press(client, link) == 302
    assert press(client, "/account/login", email=person["email"], password=WRONG) == 200
    assert press(client, f"/account/login?next={link}", email=person["email"], password=FIRST) == 302
    secrets.of_browser(client)
    assert client.post("/account/password-strength", data={"password": SECOND}).status_code == 200
    assert press(client, "/account/confirm-password", password=FIRST) == 302
    changed = {"old_password": FIRST, "new_password": SECOND, "new_password2": SECOND}
    assert press(client, "/account/manage/change-password", **changed) == 302
    secrets.of_browser(client)
    assert press(client, "/account/manage/change-email", email="g.hopper@example.org", password=SECOND) == 302
    assert press(client, secrets.of_mail("manage/change-email")) == 302
    assert client.post("/account/manage/export").status_code == 302
    assert press(app.test_client(), secrets.of_mail("not-me")) == 302
    assert not found(log, secrets)


def test_second_factors(app: Flask, client: FlaskClient, secrets: Secrets, log: Log) -> None:
    user = make_user()
    let_in(client, user)
    secret, codes = turn_on(client, user)
    secrets.of_mail("not-me")
    passkey, options = Authenticator(), client.post("/account/passkeys/new", data={"name": "A key"}).json or {}
    made = passkey.create(options)
    assert client.post("/account/passkeys/new", data={"name": "A key", "credential": made}).status_code == 302
    for typed in (WRONG, codes[0].upper(), codes[0], totp.as_text(secret), code_of(secret)):
        other = app.test_client()
        first_step(other, user)
        secrets.of_browser(other)
        response = second_step(other, typed)
    assert response.location == "/"
    other = app.test_client()
    first_step(other, user)
    answers, challenges = [], []
    for lies in ({"signature": b"0"}, {}):
        challenges.append(other.post("/account/second-factor/passkey").json or {})
        answers.append(passkey.sign(challenges[-1], **lies))
        response = other.post("/account/second-factor/passkey", data={"credential": answers[-1]})
    assert response.location == "/"
    secrets.texts |= {each["challenge"] for each in [options, *challenges]}
    secrets.texts |= {*codes, totp.as_text(secret), *answers, made}
    assert not found(log, secrets)


def test_signing_in_with_a_provider(
    app: Flask, client: FlaskClient, secrets: Secrets, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_identity_provider() as provider:
        monkeypatch.setitem(app.config, "PROVIDERS", {"example": provider.settings()})
        for breaks in ({}, {"nonce": "another"}, {"sub": ""}):
            provider.person = {"email": "new@example.org", **breaks}
            begun = client.post("/account/providers/example").headers["Refresh"].removeprefix("0; url=")
            back = provider.choose(begun)
            assert client.get(back).status_code == client.get(back).status_code == 302
            for query in (urlsplit(begun).query, urlsplit(back).query):
                sent = parse_qs(query)
                names = {"state", "nonce", "code", "code_challenge"} & set(sent)
                secrets.texts |= {sent[name][0] for name in names}
            secrets.of_browser(client)
        secrets.texts |= {*provider.granted, provider.settings().client_secret}
    assert len(secrets.texts) > 15
    assert not found(log, secrets)


def test_logging_in_with_a_mailed_code(
    app: Flask, client: FlaskClient, secrets: Secrets, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAGIC_LINK", True)
    user = make_user()
    assert press(client, "/account/email-code", email=user.email) == 302
    secrets.of_browser(client)
    link = secrets.of_mail("email-code")
    code = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", app.test_client().get(link).text)
    assert code is not None
    secrets.texts |= {code.group(), code.group().replace("-", "")}
    for typed in (WRONG, code.group()):
        press(client, "/account/email-code/enter", code=typed)
    assert client.get("/account/manage").status_code == 200
    user.password_hash = None
    database.session.commit()
    client.post("/account/confirm-password/code")
    secrets.of_mail("not-me")
    press(client, "/account/confirm-password", code=WRONG)
    assert not found(log, secrets)


def test_forgetting_and_being_invited(app: Flask, client: FlaskClient, secrets: Secrets, log: Log) -> None:
    user = make_user()
    assert press(client, "/account/reset-password", email=user.email) == 302
    link = secrets.of_mail("reset-password")
    client.get(link)
    secrets.of_browser(client)
    assert press(client, "/account/reset-password/form", new_password=THIRD, new_password2=THIRD) == 302
    assert client.get(link).status_code == 302
    admin = app.test_client()
    sign_in(admin, make_admin())
    secrets.of_browser(admin)
    role = str(user.role_id)
    person = {"first_name": "Ada", "last_name": "Wren", "role": role}
    assert press(admin, "/admin/invite-user", **person, email="invited@example.org") == 302
    join = secrets.of_mail("join-from-invite")
    assert press(client, join, password=WRONG, password2=THIRD) == 200
    assert press(client, join, password=THIRD, password2=THIRD) == 302
    made = {**person, "email": "made@example.org", "password": FIRST, "password2": FIRST}
    assert press(admin, "/admin/new-user", **made) == 302
    assert not found(log, secrets)


def test_what_goes_wrong(
    app: Flask, client: FlaskClient, secrets: Secrets, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors log more than a successful request: the traceback, and messages of libraries."""
    user = make_user()
    token = user.generate_password_reset_token()
    secrets.texts.add(token)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    headers = {
        "Referer": f"http://localhost/account/reset-password/{token}",
        "User-Agent": token,
        "X-Request-ID": token,
    }
    form = {"password": FIRST, "csrf_token": token}
    for path in (f"/account/reset-password/{token}", f"/nowhere/{token}", f"/account/login?next=/{token}", "/%ff"):
        client.get(path, headers=headers)
        assert client.post(path, data=form, headers=headers).status_code in {400, 404, 405}
        assert client.post(path, json=form, headers=headers).status_code in {404, 405, 415}
    open_to_visitors = wraps(app.view_functions["account.reset_password"])
    monkeypatch.setitem(app.view_functions, "account.reset_password", open_to_visitors(collide))
    assert client.get(f"/account/reset-password/{token}", headers=headers).status_code == 500
    assert any(record.exc_info and "IntegrityError" in str(record.exc_info[0]) for record in log.records)
    assert not found(log, secrets)


def collide(token: str) -> str:
    """Violate a unique index with a row that holds a secret, on a page whose URL holds one."""
    for secret in (FIRST, token):
        database.session.add(User(email="same@example.org", password_hash=secret))
    database.session.flush()
    return "never reached"


def test_a_failed_login_leaves_a_line_and_a_successful_one_an_audit_event(
    db: SQLAlchemy, client: FlaskClient, log: Log
) -> None:
    user = make_user()
    assert press(client, "/account/login", email=user.email, password=WRONG) == 200
    (line,) = [JsonFormatter().format(record) for record in log.records if record.getMessage() == "failed try"]
    assert '"ip_address": "127.0.0.1"' in line
    assert user.email not in line
    sign_in(client, user)
    assert db.session.scalars(select(AuditEvent.event)).all() == ["user.logged_in"]


def test_the_line_of_a_change_names_who_made_it(db: SQLAlchemy, client: FlaskClient, log: Log) -> None:
    user = make_user()
    lines: list[str] = []
    handler = logging.Handler()
    # Format at once, as in production: afterwards the request is over.
    handler.emit = lambda record: lines.append(JsonFormatter().format(record))  # type: ignore[method-assign]
    logger = logging.getLogger("app.request")
    logger.addHandler(handler)
    sign_in(client, user)
    client.post("/account/logout")
    client.get("/about")
    logger.removeHandler(handler)
    assert [json.loads(line).get("user_id") for line in lines] == [user.id, None, None]


def test_an_email_that_cannot_be_composed(
    db: SQLAlchemy, secrets: Secrets, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(template: str, subject: str, context: dict[str, object]) -> None:
        secrets.texts.add(str(context["reset_link"]))
        raise RuntimeError("the template is broken")

    monkeypatch.setattr("app.kit.mail.catalog.render", fail)
    email.reset_password.send(make_user())
    db.session.commit()
    for _ in range(6):
        outbox.deliver(go_on=lambda: True)
        logging.getLogger("test").info("a line of its own")
    assert len(secrets.texts) > 4
    assert not found(log, secrets)


def test_a_canary_that_is_logged_is_found(secrets: Secrets, log: Log) -> None:
    for number in range(6):
        logging.getLogger("test").info("line %s", number)
    assert not found(log, secrets)
    logging.getLogger("test").debug("the password is %s", THIRD)
    assert len(found(log, secrets)) == 2
