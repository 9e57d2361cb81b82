"""Logging in with a mailed link or code."""

import re
from collections.abc import Callable
from datetime import timedelta
from secrets import token_urlsafe
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select, update

from app import mailed_codes
from app.email import catalog
from app.kit.db.database import utc_now
from app.mailed_codes import NONCE_BYTES, code_for, is_code
from app.models import AuditEvent, Email, Flow, Permission, User, UserSession, Way
from tests.account.mailed import mailed_kinds, mailed_link
from tests.factories import make_admin, make_invited, make_role, make_user
from tests.test_sign_in import set_up
from tests.together import together

WAITS, ASKS = "/account/email-code/enter", "/account/email-code"


@pytest.fixture(autouse=True)
def _on(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn on MAGIC_LINK."""
    monkeypatch.setitem(app.config, "MAGIC_LINK", True)


def ask(client: FlaskClient, user: User, **form: str) -> None:
    assert client.post(ASKS, data={"email": user.email, **form}).location == WAITS


def mailed_code() -> str:
    """Return the code in the newest email, as it would leave now."""
    row = Email.query.order_by(Email.id.desc()).first()
    rendered = catalog.emails["mailed_code"].compose(row)
    assert rendered is not None, "the email would be canceled"
    return re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", rendered.text).group()


def type_code(client: FlaskClient, code: str, page: str = WAITS) -> str | None:
    """Return where the code leads, or None if it is refused."""
    return client.post(page, data={"code": code}).location


def sessions(db: SQLAlchemy) -> list[UserSession]:
    return list(db.session.scalars(select(UserSession)))


def test_the_code_logs_in_the_browser_that_asked(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    ask(client, user, remember_me="y")
    code = mailed_code()
    assert type_code(app.test_client(), code) is None
    assert type_code(client, code) == "/"
    assert [(row.ways, row.remembered) for row in sessions(db)] == [("mailed_code", True)]
    assert type_code(app.test_client(), code) is None


def test_the_code_leads_to_where_one_wanted_to_go(client: FlaskClient) -> None:
    user = make_user()
    page = client.get("/account/login?next=/account/sessions").text
    assert f'href="{ASKS}?next=/account/sessions"' in page
    assert all("?next" not in client.get(page).text for page in ("/account/login", "/account/login?next=", ASKS))
    answer = client.post(f"{ASKS}?next=/account/sessions", data={"email": user.email})
    assert answer.location == f"{WAITS}?next=/account/sessions"
    assert 'data-go-on-to="/account/sessions"' in client.get(answer.location).text
    assert type_code(client, mailed_code(), answer.location) == "/account/sessions"


def test_a_page_that_still_waits_after_the_login_leads_on(client: FlaskClient) -> None:
    ask(client, make_user())
    type_code(client, mailed_code())
    assert client.get(f"{WAITS}?next=/account/sessions").location == "/account/sessions"
    assert client.get(f"{WAITS}?next=//evil.example").location == "/"


def test_reading_errors_are_forgiven() -> None:
    code, nonce = "", ""
    while not {"0", "1"} <= set(code):
        nonce = token_urlsafe(NONCE_BYTES)
        code = code_for("mailed_code", nonce)
    for typed in (code.lower(), f" {code.replace('-', '')} ", code.replace("0", "o").replace("1", "l"), " ".join(code)):
        assert is_code(typed, "mailed_code", nonce), typed
    for wrong in ("", code[:-1], code + "0", "ßſ\ud800", code_for("sudo_code", nonce)):
        assert not is_code(wrong, "mailed_code", nonce), wrong


def test_a_code_by_an_older_key_is_right_while_keys_are_rotated(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    code = code_for("mailed_code", "nonce")
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [app.config["SECRET_KEY"]])
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key with more than 32 characters")
    assert is_code(code, "mailed_code", "nonce")
    assert code_for("mailed_code", "nonce") != code


def test_after_three_wrong_codes_the_right_one_is_refused(client: FlaskClient, db: SQLAlchemy) -> None:
    ask(client, make_user())
    code = mailed_code()
    for _ in range(3):
        assert type_code(client, "WRNG-C0DE") is None
    assert type_code(client, code) is None
    assert "waits for no code" in client.get(WAITS).text
    assert sessions(db) == []


def test_a_code_ends_after_ten_minutes(client: FlaskClient, db: SQLAlchemy) -> None:
    ask(client, make_user())
    code, link = mailed_code(), mailed_link("mailed_code")
    flow = db.session.scalar(select(Flow))
    assert timedelta(minutes=9) < flow.expires_at - utc_now() <= timedelta(minutes=10)
    db.session.execute(update(Flow).values(expires_at=utc_now()))
    db.session.commit()
    assert type_code(client, code) is None
    assert client.post(link).location == ASKS
    assert catalog.emails["mailed_code"].compose(Email.query.one()) is None
    assert sessions(db) == []


CHANGES: dict[str, Callable[[User], None]] = {
    "password": lambda user: setattr(user, "password", "another-correct-horse"),
    "address": lambda user: setattr(user, "email", "elsewhere@example.org"),
    "state": lambda user: user.disable("spam"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_code_ends_with_each_change_of_the_account(client: FlaskClient, db: SQLAlchemy, change: str) -> None:
    user = make_user()
    ask(client, user)
    code, link = mailed_code(), mailed_link("mailed_code")
    CHANGES[change](user)
    db.session.commit()
    assert type_code(client, code) is None
    assert client.post(link).location == ASKS
    assert sessions(db) == []


def test_the_link_shows_a_button_where_one_asked_and_the_code_elsewhere(
    app: Flask, client: FlaskClient, db: SQLAlchemy
) -> None:
    user = make_user()
    client.post(f"{ASKS}?next=/account/sessions", data={"email": user.email})
    code, link = mailed_code(), mailed_link("mailed_code")
    elsewhere = app.test_client()
    for _ in range(2):
        page = elsewhere.get(link)
        assert code in page.text
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert code in elsewhere.post(link).text
    assert sessions(db) == []
    page = client.get(link).text
    assert code not in page
    assert f'action="{link}?next=/account/sessions"' in page
    assert client.post(f"{link}?next=/account/sessions").location == "/account/sessions"
    assert len(sessions(db)) == 1
    assert elsewhere.get(link).location == ASKS, "it works once"


def test_a_forged_link_is_refused(client: FlaskClient) -> None:
    user = make_user()
    for token in ("x", user.generate_password_reset_token(), "é" * 300):
        assert client.get(f"{ASKS}/{token}").location == ASKS


def test_a_user_with_a_second_factor_is_asked_for_it(client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    set_up(db, user, Way.APP, Way.RECOVERY_CODE)
    ask(client, user)
    assert type_code(client, mailed_code()) == "/account/second-factor"
    assert sessions(db) == []


def test_only_who_may_log_in_gets_a_code_and_administrators_by_a_setting_of_their_own(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, db: SQLAlchemy
) -> None:
    admin = make_admin()
    refused = [admin, make_user(confirmed=False), make_invited(), make_user(disabled_at=utc_now())]
    for user in refused:
        ask(client, user)
    assert mailed_kinds() == ["mailed_code"] * 4
    assert list(db.session.scalars(select(Email.user_id))) == [None] * 4, "the worker cancels them"
    monkeypatch.setitem(app.config, "MAGIC_LINK_FOR_ADMINISTRATORS", True)
    ask(client, admin)
    assert Email.query.filter_by(user_id=admin.id).count() == 1


@pytest.mark.usefixtures("kept_roles")
def test_a_code_is_refused_once_its_users_role_administers_something(client: FlaskClient, db: SQLAlchemy) -> None:
    role = make_role("Writer", Permission.GENERAL)
    ask(client, make_user(role.name))
    code, link = mailed_code(), mailed_link("mailed_code")
    role.permissions = int(Permission.GENERAL | Permission.VIEW_USERS)
    db.session.commit()
    assert type_code(client, code) == client.post(link).location == ASKS
    assert sessions(db) == []


def test_two_browsers_that_ask_within_a_minute_share_a_code_that_works_once(
    app: Flask, client: FlaskClient, db: SQLAlchemy
) -> None:
    user, thief, third = make_user(), app.test_client(), app.test_client()
    ask(third, user)
    db.session.execute(update(Email).values(state="sent"))
    db.session.commit()
    ask(thief, user)
    ask(client, user)
    assert Email.query.count() == 2, "the second one still waits when the third is asked for"
    code = mailed_code()
    assert type_code(third, code) is None, "that browser's code has left already"
    assert type_code(client, code) == "/"
    assert type_code(thief, code) is None
    assert Flow.query.count() == 0


def test_whoever_uses_up_the_limit_leaves_the_owner_a_link(client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    ask(client, user)
    rendered = catalog.emails["mailed_code"].compose(Email.query.one())
    reset = re.search(r"(/account/reset-password/\S+)", rendered.text).group()
    assert client.get(reset).status_code == 303


def test_a_stolen_database_yields_no_code(client: FlaskClient, db: SQLAlchemy) -> None:
    ask(client, make_user())
    code, link = mailed_code(), mailed_link("mailed_code")
    tables = [str(db.session.execute(table.select()).all()) for table in db.metadata.sorted_tables]
    for secret in (code, code.replace("-", ""), link.rpartition("/")[2]):
        assert not any(secret in text for text in tables)


def test_the_pages_are_gone_while_the_setting_is_off(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAGIC_LINK", False)
    assert [client.get(path).status_code for path in (ASKS, WAITS, f"{ASKS}/x")] == [404] * 3
    assert "Email me a code" not in client.get("/account/login").text


def test_wrong_codes_count_with_wrong_passwords_of_the_address(app: Flask, limits: None) -> None:
    user = make_user()
    for _ in range(4):
        app.test_client().post("/account/login", data={"email": user.email, "password": "wrong password"})
    client = app.test_client()
    ask(client, user)
    assert [client.post(WAITS, data={"code": "wrong"}).status_code for _ in range(2)] == [200, 429]
    assert Flow.query.one().tries == 1, "what was not checked is no try"


@pytest.mark.usefixtures("error_pages")
def test_of_twenty_who_type_one_code_at_once_one_is_let_in(app: Flask, db: SQLAlchemy) -> None:
    client, user = app.test_client(), make_user()
    ask(client, user)
    code, link = mailed_code(), mailed_link("mailed_code")
    cookie = client.get_cookie("session").value
    db.session.commit()

    def post(number: int) -> str | None:
        copy = app.test_client()
        copy.set_cookie("session", cookie)
        response = copy.post(link) if number % 2 else copy.post(WAITS, data={"code": code})
        assert response.status_code < 500
        return response.location

    places = together([lambda number=number: post(number) for number in range(20)])
    db.session.rollback()
    assert places.count("/") == 1
    assert len(sessions(db)) == 1
    assert AuditEvent.query.filter_by(event="user.logged_in").count() == 1


@pytest.mark.usefixtures("error_pages")
def test_of_twenty_wrong_codes_at_once_three_are_checked(
    app: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(mailed_codes, "is_right_code", lambda _flow, _user, typed: checked.append(typed))
    ask(client, make_user())
    cookie = client.get_cookie("session").value
    db.session.commit()

    def guess(number: int) -> None:
        copy = app.test_client()
        copy.set_cookie("session", cookie)
        copy.post(WAITS, data={"code": str(number)})

    together([lambda number=number: guess(number) for number in range(20)])
    assert len(checked) == 3


HOSTILE = ("\x00", "ﬁ" * 64, "9" * 5000, "' OR 1=1 --", "ı" * 8)


@pytest.mark.usefixtures("error_pages")
def test_whatever_is_typed_is_answered(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "MAILED_CODE_TRIES", 100)
    ask(client, make_user())
    statuses = {client.post(WAITS, data={"code": text}).status_code for text in HOSTILE}
    statuses |= {client.post(f"{ASKS}?next={quote(text)}", data={"email": text}).status_code for text in HOSTILE[1:]}
    statuses |= {client.get(f"{ASKS}/{quote(text)}").status_code for text in HOSTILE[2:]}
    assert statuses <= {200, 302, 400}
    assert User.query.count() == 1
