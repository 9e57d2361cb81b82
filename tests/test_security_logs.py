"""No password, token, cookie or link is ever logged: canaries go through every flow, and none is heard."""

import io
import logging
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.extensions import db
from app.jobs import deliver_email
from app.kit.request_log import JsonFormatter
from app.models import Email
from tests.account.mailed import mailed_link
from tests.factories import make_admin, make_user, sign_in

PASSWORDS = ["canary first password 7", "canary second password 8", "canary wrong password 9"]
FIRST, SECOND, WRONG = PASSWORDS


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All that any logger says, however talkative it is set, except what only the test tools say."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def new(password: str) -> dict[str, str]:
    return {"new_password": password, "new_password2": password}


def test_no_flow_logs_a_secret(app: Flask, client: FlaskClient, everything_logged: io.StringIO) -> None:
    secrets = list(PASSWORDS)
    secrets += join(client) + sign_in_and_change(app, client) + forget_and_reset(client) + invite(app)
    for email_id in db.session.scalars(select(Email.id)).all():
        deliver_email(email_id)
    logged = everything_logged.getvalue()
    assert "/account/confirm-account/<token>" in logged, "the test must have seen the log"
    assert "e-mail sent" in logged
    heard = [secret for secret in secrets if secret in logged]
    assert heard == []


def join(client: FlaskClient) -> list[str]:
    person = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.org"}
    client.post("/account/register", data={**person, "password": FIRST, "password2": FIRST})
    client.post("/account/register", data={**person, "password": FIRST, "password2": WRONG})
    link = mailed_link("confirm")
    client.get(link)
    client.post(link)
    client.post(link)
    return [token_of(link)]


def sign_in_and_change(app: Flask, client: FlaskClient) -> list[str]:
    form = {"email": "grace@example.org", "password": FIRST, "remember_me": "y"}
    client.post("/account/login", data={**form, "password": WRONG})
    client.post("/account/login", data=form)
    cookie = client.get_cookie("session").value
    client.post("/account/manage/change-email", data={"email": "new@example.org", "password": FIRST})
    link = mailed_link("change_email")
    client.get(link)
    client.post("/account/manage/change-password", data={"old_password": FIRST, **new(SECOND)})
    not_me = mailed_link("password_changed")
    app.test_client().get(not_me)
    app.test_client().get("/account/manage", headers={"Cookie": f"session={cookie}x"})
    client.post("/account/logout")
    return [cookie, token_of(link), token_of(not_me)]


def forget_and_reset(client: FlaskClient) -> list[str]:
    client.post("/account/reset-password", data={"email": "grace@example.org"})
    link = mailed_link("reset_password")
    client.get(link)
    client.post("/account/reset-password/form", data=new(FIRST))
    client.get(f"{link}/../{token_of(link)}")
    return [token_of(link)]


def invite(app: Flask) -> list[str]:
    administrator = app.test_client()
    sign_in(administrator, make_admin())
    role = make_user().role_id
    person = {"first_name": "Joan", "last_name": "Clarke", "email": "joan@example.org", "role": role}
    administrator.post("/admin/invite-user", data=person)
    link = mailed_link("invite")
    joining = app.test_client()
    joining.get(link)
    joining.post(link, data={"password": SECOND, "password2": SECOND})
    return [token_of(link)]


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


def test_a_broken_statement_does_not_log_its_values(
    app: Flask, client: FlaskClient, everything_logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "-".join(["canary", "hash"])  # a traceback quotes the lines of the program

    def break_down() -> str:
        db.session.execute(text("SELECT :hash FROM no_such_table"), {"hash": value})
        return ""

    monkeypatch.setitem(app.view_functions, "main.about", break_down)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    page = client.get("/about")
    assert page.status_code == 500
    assert re.search(r"no_such_table", everything_logged.getvalue()), "the error itself is logged"
    assert value not in everything_logged.getvalue()
    assert "no_such_table" not in page.text
