"""Concurrent requests: exactly one wins, and none is a server error.

They run on whichever database TEST_DATABASE_URL names.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from app.extensions import db as database
from app.models import AuditEvent, Email, KnownDevice, Role, User, UserSession
from app.models.user import other_administrators_than
from tests.factories import PASSWORD, make_admin, make_invited, make_user, sign_in
from tests.together import together

FIRST, SECOND = "nanosecond wire in hand", "compiler moth in a relay"


pytestmark = pytest.mark.usefixtures("error_pages")


def at_once(*requests: Callable[[], TestResponse]) -> list[TestResponse]:
    database.session.commit()
    answers = together(requests)
    database.session.rollback()
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    return answers


def signed_in(app: Flask, user: User) -> FlaskClient:
    client = app.test_client()
    sign_in(client, user)
    return client


def test_twenty_who_register_one_address_make_one_user(app: Flask, db: SQLAlchemy) -> None:
    def register(number: int) -> TestResponse:
        address = "grace@example.org" if number % 2 else "Grace@Example.ORG"
        form = {"first_name": "Grace", "last_name": "Hopper", "email": address, "password": FIRST, "password2": FIRST}
        return app.test_client().post("/account/register", data=form)

    answers = at_once(*(lambda number=number: register(number) for number in range(20)))
    assert {(answer.status_code, answer.location) for answer in answers} == {(302, "/account/unconfirmed")}
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    assert db.session.scalars(select(Email.kind)).all() == ["confirm"]


@pytest.mark.parametrize("deed", ["change-account-type", "disable", "_delete"])
def test_two_administrators_who_remove_each_other_leave_one(app: Flask, db: SQLAlchemy, deed: str) -> None:
    role_id = str(Role.with_name("User").id)
    for _ in range(3):
        one, other = make_admin(), make_admin()
        clients = {other.id: signed_in(app, one), one.id: signed_in(app, other)}
        requests = [
            lambda client=client, victim=victim: client.post(
                f"/admin/user/{victim}/{deed}", data={"role": role_id, "reason": "x"}
            )
            for victim, client in clients.items()
        ]
        at_once(*requests)
        assert other_administrators_than(make_user()) == 1
        db.session.execute(delete(User))
        db.session.commit()


def test_two_administrators_who_leave_together_leave_one(app: Flask, db: SQLAlchemy) -> None:
    clients = [signed_in(app, make_admin()), signed_in(app, make_admin())]
    at_once(
        *(
            lambda client=client: client.post("/account/manage/delete", data={"password": PASSWORD})
            for client in clients
        )
    )
    assert other_administrators_than(make_user()) == 1


def test_a_reset_link_used_twice_at_once_sets_one_password(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    path = f"/account/reset-password/{user.generate_password_reset_token()}"
    clients = [app.test_client(), app.test_client()]
    for client in clients:
        assert client.get(path).status_code == 303
    at_once(
        *(
            lambda client=client, password=password: client.post(
                "/account/reset-password/form", data={"new_password": password, "new_password2": password}
            )
            for client, password in zip(clients, (FIRST, SECOND), strict=True)
        )
    )
    assert events(db, "password.changed") == 1
    assert [user.verify_password(password) for password in (FIRST, SECOND, PASSWORD)].count(True) == 1


def test_an_invitation_used_twice_at_once_sets_one_password(app: Flask, db: SQLAlchemy) -> None:
    user = make_invited()
    path = f"/account/join-from-invite/{user.id}/{user.generate_invitation_token()}"
    at_once(
        *(
            lambda password=password: app.test_client().post(path, data={"password": password, "password2": password})
            for password in (FIRST, SECOND)
        )
    )
    assert events(db, "user.joined") == 1
    assert [user.verify_password(password) for password in (FIRST, SECOND)].count(True) == 1


def test_a_confirmation_used_five_times_at_once_confirms_once(app: Flask, db: SQLAlchemy) -> None:
    user = make_user(confirmed=False)
    path = f"/account/confirm-account/{user.generate_confirmation_token()}"
    at_once(*[lambda: app.test_client().post(path)] * 5)
    assert events(db, "user.confirmed") == 1
    assert user.confirmed


def test_two_users_who_move_to_one_address_at_once_do_not_share_it(app: Flask, db: SQLAlchemy) -> None:
    movers = [make_user(), make_user()]
    requests = []
    for mover in movers:
        client, token = signed_in(app, mover), mover.generate_email_change_token("wanted@example.org")
        requests.append(lambda client=client, token=token: client.post(f"/account/manage/change-email/{token}"))
    at_once(*requests)
    assert events(db, "email.changed") == 1
    assert [mover.email for mover in movers].count("wanted@example.org") == 1


def test_a_this_was_not_me_used_twice_at_once_works_once(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    signed_in(app, user)
    path = f"/account/not-me/{user.generate_not_me_token(user.email)}"
    at_once(*[lambda: app.test_client().post(path)] * 2)
    assert events(db, "user.locked_out_intruder") == 1
    assert db.session.scalar(select(func.count()).select_from(UserSession)) == 0


def test_one_browser_that_logs_out_while_it_loads_pages_meets_no_error(app: Flask, db: SQLAlchemy) -> None:
    client = signed_in(app, make_user())
    cookie = client.get_cookie("session")
    assert cookie is not None

    def request(method: str, path: str) -> TestResponse:
        copy = app.test_client()
        copy.set_cookie("session", cookie.value)
        return copy.open(path, method=method)

    pages = [lambda: request("GET", "/account/sessions"), lambda: request("GET", "/account/manage")]
    at_once(*pages, lambda: request("POST", "/account/logout"), *pages)
    assert request("GET", "/account/manage").status_code == 302


def test_five_logins_from_a_new_browser_at_once_make_one_known_device(app: Flask, db: SQLAlchemy) -> None:
    form = {"email": make_user().email, "password": PASSWORD}
    answers = at_once(*[lambda: app.test_client().post("/account/login", data=form)] * 5)
    assert {answer.status_code for answer in answers} == {302}
    assert db.session.scalar(select(func.count()).select_from(KnownDevice)) == 1


def events(db: SQLAlchemy, name: str) -> int:
    return db.session.scalar(select(func.count()).select_from(AuditEvent).where(AuditEvent.event == name)) or 0
