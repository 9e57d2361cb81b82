"""Two requests at once: exactly one wins, and none meets an error of ours. On SQLite and on PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import AuditEvent, Email, KnownDevice, Role, User
from tests.factories import PASSWORD, make_admin, make_invited, make_user, sign_in

NEW_PASSWORD = "nanosecond wire in hand"
NEW = dict.fromkeys(("password", "password2", "new_password", "new_password2"), NEW_PASSWORD)

Send = Callable[[FlaskClient], TestResponse]


def at_once(requests: list[tuple[FlaskClient, Send]]) -> list[TestResponse]:
    """Send all requests at the same moment, each from a thread and a browser of its own."""
    db.session.remove()
    start = Barrier(len(requests))

    def run(request: tuple[FlaskClient, Send]) -> TestResponse:
        client, send = request
        start.wait()
        return send(client)

    with ThreadPoolExecutor(len(requests)) as threads:
        answers = list(threads.map(run, requests))
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    return answers


def browsers(app: Flask, count: int, send: Send) -> list[tuple[FlaskClient, Send]]:
    return [(app.test_client(), send) for _ in range(count)]


@pytest.mark.usefixtures("db")
def test_twenty_registrations_of_one_address(app: Flask) -> None:
    person = {"first_name": "Grace", "last_name": "Hopper", **NEW}
    cases = ["grace@example.org", "Grace@example.org", "GRACE@EXAMPLE.ORG", "grace@Example.Org"]
    requests = [
        (
            app.test_client(),
            lambda client, email=email: client.post("/account/register", data={**person, "email": email}),
        )
        for email in cases * 5
    ]
    answers = at_once(requests)
    assert {answer.status_code for answer in answers} == {302}
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    kinds = sorted(db.session.scalars(select(Email.kind)))
    assert kinds == ["already_registered"] * 19 + ["confirm"]


@pytest.mark.usefixtures("db")
def test_a_confirmation_link_used_ten_times_at_once(app: Flask) -> None:
    user = make_user(confirmed=False)
    path = f"/account/confirm-account/{user.generate_confirmation_token()}"
    at_once(browsers(app, 10, lambda client: client.post(path)))
    confirmed = select(func.count()).where(AuditEvent.event == "user.confirmed")
    assert db.session.scalar(confirmed) == 1


@pytest.mark.usefixtures("db")
def test_a_reset_link_used_five_times_at_once(app: Flask) -> None:
    token = make_user().generate_password_reset_token()
    requests = browsers(app, 5, lambda client: client.post("/account/reset-password/form", data=NEW))
    for client, _ in requests:
        client.get(f"/account/reset-password/{token}")
    locations = [answer.location for answer in at_once(requests)]
    assert sorted(locations) == ["/account/login"] + ["/account/reset-password"] * 4
    assert list(db.session.scalars(select(Email.kind))) == ["password_changed"]


@pytest.mark.usefixtures("db")
def test_an_invitation_used_five_times_at_once(app: Flask) -> None:
    user = make_invited()
    path = f"/account/join-from-invite/{user.id}/{user.generate_invitation_token()}"
    at_once(browsers(app, 5, lambda client: client.post(path, data=NEW)))
    assert db.session.scalar(select(func.count()).where(AuditEvent.event == "user.joined")) == 1


@pytest.mark.usefixtures("db")
def test_two_users_who_move_to_one_address_at_once(app: Flask) -> None:
    requests = []
    for _ in range(4):
        client, user = app.test_client(), make_user()
        sign_in(client, user)
        token = user.generate_email_change_token("wanted@example.org")
        path = f"/account/manage/change-email/{token}"
        requests.append((client, lambda client, path=path: client.post(path)))
    at_once(requests)
    assert db.session.scalar(select(func.count()).where(User.email == "wanted@example.org")) == 1


@pytest.mark.usefixtures("db")
def test_logging_in_from_a_new_browser_twice_at_once(app: Flask) -> None:
    form = {"email": make_user().email, "password": PASSWORD}
    at_once(browsers(app, 5, lambda client: client.post("/account/login", data=form)))
    assert db.session.scalar(select(func.count()).select_from(KnownDevice)) == 1


def remaining_administrators() -> int:
    able = User.disabled_at.is_(None) & (User.role_id == Role.with_name("Administrator").id)
    return db.session.scalar(select(func.count()).select_from(User).where(able)) or 0


def demote(client: FlaskClient, other_id: int) -> TestResponse:
    role = db.session.scalar(select(Role.id).where(Role.name == "User"))
    return client.post(f"/admin/user/{other_id}/change-account-type", data={"role": role})


def disable(client: FlaskClient, other_id: int) -> TestResponse:
    return client.post(f"/admin/user/{other_id}/disable", data={"reason": "a fight"})


def delete(client: FlaskClient, other_id: int) -> TestResponse:
    return client.post(f"/admin/user/{other_id}/_delete")


def leave(client: FlaskClient, _other_id: int) -> TestResponse:
    return client.post("/account/manage/delete", data={"password": PASSWORD})


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("act", [demote, disable, delete, leave])
def test_two_administrators_who_remove_each_other_at_once(app: Flask, act: Callable) -> None:
    pair = [make_admin(), make_admin()]
    requests = []
    for admin, other in (pair, pair[::-1]):
        client = app.test_client()
        sign_in(client, admin)

        def send(client: FlaskClient, other_id: int = other.id) -> TestResponse:
            with app.app_context():
                return act(client, other_id)

        requests.append((client, send))
    at_once(requests)
    assert remaining_administrators() == 1
