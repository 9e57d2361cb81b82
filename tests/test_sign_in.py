"""The gate: what each way of proving who one is leads to."""

from collections.abc import Callable
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select

from app import sign_in
from app.models import AuthenticatorApp, Flow, Passkey, RecoveryCode, User, UserSession, Way
from app.models.flow import digest
from app.sign_in import Proof
from tests.factories import PASSWORD, make_invited, make_user

LOGGED_IN, ASKED, SET_UP, REFUSED = "/", "/account/second-factor", "/account/manage/security", None
COMPLETE = {Way.PASSKEY}


def set_up(db: SQLAlchemy, user: User, *ways: Way) -> None:
    """Give ``user`` these second factors, which nobody could use."""
    handle = user.uid.encode()
    rows = {
        Way.APP: AuthenticatorApp(user_id=user.id, encrypted_secret="-"),
        Way.PASSKEY: Passkey(user_id=user.id, credential_id=handle, user_handle=handle, public_key=b"-", name="A key"),
        Way.RECOVERY_CODE: RecoveryCode(user_id=user.id, code_hash=digest(user.uid)),
    }
    db.session.add_all(rows[way] for way in ways)
    db.session.commit()


@pytest.fixture
def enter(app: Flask) -> Callable[[User, Proof], str | None]:
    """Return a function that proves something for a user, and returns where this leads."""

    def enter(user: User, proof: Proof) -> str | None:
        with app.test_request_context("/account/login"):
            response = sign_in.enter(user, proof)
            return response.location if response else None

    return enter


FACTORS = {"no factor": (), "app": (Way.APP,), "passkey": (Way.PASSKEY,), "both": (Way.APP, Way.PASSKEY)}


@pytest.mark.parametrize(("way", "role"), [*product(Way, ["User", "Administrator"])])
def test_every_way_leads_to_the_same_decision(
    enter: Callable[[User, Proof], str | None], db: SQLAlchemy, way: Way, role: str
) -> None:
    proof = Proof(way, is_complete=way in COMPLETE)
    for name, factors in FACTORS.items():
        user = make_user(role)
        set_up(db, user, *factors, *([Way.RECOVERY_CODE] if factors else []))
        expected = ASKED if factors and way not in COMPLETE else LOGGED_IN
        assert enter(user, proof) == expected, (way, name)
        assert number_of_sessions(db, user) == (expected == LOGGED_IN), (way, name)


@pytest.mark.parametrize("required", ["admin", "all"])
@pytest.mark.parametrize("way", list(Way))
def test_where_a_second_factor_is_demanded_every_way_leads_to_one_or_to_its_set_up(
    app: Flask,
    enter: Callable[[User, Proof], str | None],
    db: SQLAlchemy,
    monkeypatch: pytest.MonkeyPatch,
    way: Way,
    required: str,
) -> None:
    monkeypatch.setitem(app.config, "SECOND_FACTOR_REQUIRED", required)
    proof = Proof(way, is_complete=way in COMPLETE)
    for role in ("User", "Administrator"):
        without, having = make_user(role), make_user(role)
        set_up(db, having, Way.APP, Way.RECOVERY_CODE)
        is_demanded = way not in COMPLETE and (required == "all" or role == "Administrator")
        assert enter(without, proof) == (SET_UP if is_demanded else LOGGED_IN)
        assert enter(having, proof) == (LOGGED_IN if way in COMPLETE else ASKED)


@pytest.mark.parametrize("way", list(Way))
def test_no_way_lets_in_who_may_not_log_in(
    enter: Callable[[User, Proof], str | None], db: SQLAlchemy, way: Way
) -> None:
    disabled = make_user()
    disabled.disable("spam")
    db.session.commit()
    for user in (disabled, make_user(confirmed=False), make_invited()):
        assert enter(user, Proof(way, is_complete=True)) is REFUSED, user.state
        assert number_of_sessions(db, user) == 0


def number_of_sessions(db: SQLAlchemy, user: User) -> int:
    return db.session.scalar(select(func.count()).select_from(UserSession).where(UserSession.user_id == user.id)) or 0


def test_a_factor_without_saved_recovery_codes_is_not_asked_for(
    enter: Callable[[User, Proof], str | None], db: SQLAlchemy
) -> None:
    user = make_user()
    set_up(db, user, Way.APP)
    assert enter(user, Proof(Way.PASSWORD)) == LOGGED_IN
    set_up(db, user, Way.RECOVERY_CODE)
    assert enter(user, Proof(Way.PASSWORD)) == ASKED


def test_half_a_login_opens_no_page_and_ends_with_a_new_password(client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    set_up(db, user, Way.APP, Way.RECOVERY_CODE)
    response = client.post("/account/login?next=/account/sessions", data={"email": user.email, "password": PASSWORD})
    assert response.location == ASKED
    assert client.get("/account/manage").status_code == 302
    with client:
        client.get("/")
        assert sign_in.begun() is not None
        user.password = "another-correct-horse-battery"
        db.session.commit()
        assert sign_in.begun() is None


def test_one_of_two_requests_finishes_a_login(client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    set_up(db, user, Way.APP, Way.RECOVERY_CODE)
    client.post("/account/login?next=/account/sessions", data={"email": user.email, "password": PASSWORD})
    with client:
        client.get("/")
        flow = sign_in.begun()
        assert flow is not None
        again = Flow(id=flow.id, user=flow.user, data=flow.data)
        first = sign_in.finish(flow, user, lambda: Way.APP)
        assert first is not None
        assert first.location == "/account/sessions"
        assert sign_in.finish(again, user, lambda: Way.APP) is None
    row = db.session.scalar(select(UserSession).where(UserSession.user_id == user.id))
    assert row is not None
    assert (row.ways, row.has_two_factors) == ("password,app", True)


def test_another_browser_does_not_see_half_a_login(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    set_up(db, user, Way.APP, Way.RECOVERY_CODE)
    client.post("/account/login", data={"email": user.email, "password": PASSWORD})
    with app.test_client() as other:
        other.get("/account/register")
        assert sign_in.begun() is None


def test_half_a_login_is_not_seen_by_who_planted_the_cookie(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user, thief = make_user(), app.test_client()
    set_up(db, user, Way.APP, Way.RECOVERY_CODE)
    thief.post("/account/login/passkey")
    planted = thief.get_cookie("session")
    assert planted is not None
    client.set_cookie("session", planted.value)
    client.post("/account/login", data={"email": user.email, "password": PASSWORD})
    for browser, has_begun in ((client, True), (thief, False)):
        with browser:
            browser.get("/")
            assert (sign_in.begun() is not None) == has_begun


def test_half_a_login_is_not_finished_for_who_was_disabled_meanwhile(client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    set_up(db, user, Way.APP, Way.RECOVERY_CODE)
    client.post("/account/login", data={"email": user.email, "password": PASSWORD})
    with client:
        client.get("/")
        flow = sign_in.begun()
        assert flow is not None
        user.disable("spam")
        db.session.commit()
        assert sign_in.finish(flow, user, lambda: Way.APP) is None
    assert number_of_sessions(db, user) == 0
