"""Second factors that are used or changed many times at once, on whichever database TEST_DATABASE_URL names."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.models import AuditEvent, AuthenticatorApp, Email, Flow, RecoveryCode, User, UserSession
from tests.account.second_factors import (
    APP_PAGE,
    CODES_PAGE,
    SECOND_STEP,
    code_of,
    first_step,
    saying_saved,
    second_step,
    shown_secret,
    turn_on,
)
from tests.factories import PASSWORD, browser_of, make_user
from tests.together import together

pytestmark = pytest.mark.usefixtures("error_pages")


def at_once(db: SQLAlchemy, *requests: Callable[[], TestResponse]) -> list[TestResponse]:
    db.session.commit()
    answers = together(requests)
    db.session.rollback()
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    return answers


def half_in(app: Flask, user: User) -> FlaskClient:
    client = app.test_client()
    first_step(client, user)
    return client


def copies_of(app: Flask, client: FlaskClient, number: int) -> list[FlaskClient]:
    """Return browsers with the same cookie, since a test client cannot send several requests at once."""
    cookie = client.get_cookie("session")
    assert cookie is not None
    copies = [app.test_client() for _ in range(number)]
    for copy in copies:
        copy.set_cookie("session", cookie.value)
    return copies


def sessions(db: SQLAlchemy, user: User) -> int:
    return db.session.scalar(select(func.count()).select_from(UserSession).where(UserSession.user_id == user.id)) or 0


@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_of_twenty_logins_with_one_code_one_gets_in(app: Flask, db: SQLAlchemy, kind: str) -> None:
    user = make_user()
    secret, codes = turn_on(browser_of(app, user), user)
    code = code_of(secret) if kind == "app" else codes[0]
    clients = [half_in(app, user) for _ in range(20)]
    answers = at_once(db, *(lambda client=client: second_step(client, code) for client in clients))
    assert [answer.location for answer in answers].count("/") == 1
    assert sessions(db, user) == 2
    assert db.session.scalar(
        select(func.count()).select_from(RecoveryCode).where(RecoveryCode.used_at.is_not(None))
    ) == (kind != "app")


def test_of_twenty_posts_of_one_half_login_one_gets_in(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    secret, _codes = turn_on(browser_of(app, user), user)
    clients = copies_of(app, half_in(app, user), 20)
    answers = at_once(db, *(lambda client=client: second_step(client, code_of(secret)) for client in clients))
    assert [answer.location for answer in answers].count("/") == 1
    assert sessions(db, user) == 2


def test_of_twenty_guesses_at_once_five_are_checked_and_the_owner_is_told(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    turn_on(browser_of(app, user), user)
    clients = copies_of(app, half_in(app, user), 20)
    at_once(db, *(lambda client=client: second_step(client, "000000") for client in clients))
    assert db.session.scalar(select(Flow.tries)) == 5
    assert db.session.scalar(select(func.count()).select_from(AuditEvent).where(WRONG)) == 5
    assert db.session.scalars(select(Email.kind).order_by(Email.id)).all()[-1] == "wrong_second_factors"


WRONG = AuditEvent.event == "second_factor.wrong"


def test_an_app_that_is_set_up_five_times_at_once_is_there_once(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    client = browser_of(app, user)
    client.post(APP_PAGE)
    code = code_of(shown_secret(client.get(APP_PAGE).text))
    at_once(db, *(lambda copy=copy: copy.post(APP_PAGE, data={"code": code}) for copy in copies_of(app, client, 5)))
    assert db.session.scalar(select(func.count()).select_from(AuthenticatorApp)) == 1
    client.post(CODES_PAGE)
    form = saying_saved(client.get(CODES_PAGE).text)
    at_once(db, *(lambda copy=copy: copy.post(CODES_PAGE, data=form) for copy in copies_of(app, client, 5)))
    assert RecoveryCode.left(user) == 10
    assert list(db.session.scalars(select(Email.kind))) == ["second_factor_changed"] * 2


def test_a_login_beside_the_turning_on_is_ended_or_asked_for_the_second_factor(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    client = browser_of(app, user)
    client.post(APP_PAGE)
    client.post(APP_PAGE, data={"code": code_of(shown_secret(client.get(APP_PAGE).text))})
    client.post(CODES_PAGE)
    saying = saying_saved(client.get(CODES_PAGE).text)
    others, form = [app.test_client() for _ in range(6)], {"email": user.email, "password": PASSWORD}
    at_once(
        db,
        *(lambda other=other: other.post("/account/login", data=form) for other in others),
        lambda: client.post(CODES_PAGE, data=saying),
    )
    assert sessions(db, user) == 1
    assert client.get("/account/manage").status_code == 200
    assert {other.get("/account/manage").status_code for other in others} == {302}
    assert others[0].get(SECOND_STEP).status_code == 200
