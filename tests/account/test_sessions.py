"""Tests for the list of sessions, ending them, their lifetimes, and confirming the password again."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.extensions import db
from app.kit.db.database import utc_now
from app.models import User, UserSession, delete_user
from tests.account.test_sign_in import is_logged_in, session_cookie
from tests.factories import PASSWORD, make_user, sign_in
from tests.queries import recorded_queries


def sessions_of(user: User) -> list[UserSession]:
    return list(db.session.scalars(select(UserSession).where(UserSession.user_id == user.id).order_by(UserSession.id)))


def set_back(session: UserSession, **columns: timedelta) -> None:
    for column, age in columns.items():
        setattr(session, column, utc_now() - age)
    db.session.commit()


def test_a_user_sees_and_ends_one_session(app: Flask, client: FlaskClient) -> None:
    user, elsewhere = make_user(), app.test_client()
    sign_in(elsewhere, user)
    sign_in(client, user)
    page = client.get("/account/sessions")
    assert page.text.count(">this one<") == 1
    assert page.text.count("127.0.0.1") == 2
    other = sessions_of(user)[0]
    cookie = session_cookie(elsewhere)
    client.post(f"/account/sessions/{other.id}/end")
    assert not is_logged_in(app, cookie)
    assert client.get("/account/manage").status_code == 200


def test_nobody_ends_somebody_elses_session(app: Flask, client: FlaskClient) -> None:
    other = make_user()
    sign_in(app.test_client(), other)
    sign_in(client, make_user())
    assert client.post(f"/account/sessions/{sessions_of(other)[0].id}/end").status_code == 404
    assert len(sessions_of(other)) == 1


def test_ending_this_session_logs_out(client: FlaskClient) -> None:
    user = make_user()
    sign_in(client, user)
    assert client.post(f"/account/sessions/{sessions_of(user)[0].id}/end").location == "/"
    assert client.get("/account/manage").status_code == 302


def test_ending_all_others_keeps_this_one(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    for _ in range(2):
        sign_in(app.test_client(), user)
    sign_in(client, user)
    client.post("/account/sessions/end-others")
    assert len(sessions_of(user)) == 1
    assert client.get("/account/manage").status_code == 200


@pytest.mark.parametrize(
    ("remember", "age", "lives"),
    [
        (False, {"created_at": timedelta(hours=11)}, True),
        (False, {"created_at": timedelta(hours=13)}, False),
        (True, {"created_at": timedelta(days=29)}, True),
        (True, {"created_at": timedelta(days=31)}, False),
        (True, {"last_seen_at": timedelta(days=13)}, True),
        (True, {"last_seen_at": timedelta(days=15)}, False),
    ],
)
def test_sessions_end_by_themselves(
    client: FlaskClient, remember: bool, age: dict[str, timedelta], lives: bool
) -> None:
    user = make_user()
    sign_in(client, user, remember=remember)
    set_back(sessions_of(user)[0], **age)
    assert (client.get("/account/manage").status_code == 200) is lives


def test_disabling_and_deleting_end_every_session(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    sign_in(client, user)
    cookie = session_cookie(client)
    user.disable("spam")
    db.session.commit()
    assert not is_logged_in(app, cookie)
    user.enable()
    delete_user(user)
    db.session.commit()
    assert not is_logged_in(app, cookie)
    assert db.session.scalar(select(func.count()).select_from(UserSession)) == 0


def test_one_query_loads_session_user_and_role(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_user())
    with app.app_context(), recorded_queries(db.engine) as statements:
        assert client.get("/account/manage").status_code == 200
    assert len(statements) == 1


def test_last_seen_is_written_at_most_once_a_minute(client: FlaskClient) -> None:
    user = make_user()
    sign_in(client, user)
    session = sessions_of(user)[0]
    seen = session.last_seen_at
    client.get("/account/manage")
    db.session.refresh(session)
    assert session.last_seen_at == seen
    set_back(session, last_seen_at=timedelta(seconds=61))
    client.get("/account/manage")
    db.session.refresh(session)
    assert session.last_seen_at >= seen


def test_a_page_for_nobody_asks_no_database(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), recorded_queries(db.engine) as statements:
        answer = client.get("/")
    assert statements == []
    assert "Set-Cookie" not in answer.headers


def test_an_old_login_gives_the_password_again_and_is_back(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    sign_in(app.test_client(), user)
    sign_in(client, user)
    other, own = sessions_of(user)
    set_back(own, reauthenticated_at=timedelta(minutes=16))
    stopped = client.post(f"/account/sessions/{other.id}/end", headers={"Referer": "http://localhost/account/sessions"})
    assert stopped.location == "/account/confirm-password?next=/account/sessions"
    assert len(sessions_of(user)) == 2
    assert b"Wrong password" in client.post(stopped.location, data={"password": "wrong"}).data
    assert client.post(f"/account/sessions/{other.id}/end").status_code == 302
    assert client.post(stopped.location, data={"password": PASSWORD}).location == "/account/sessions"
    client.post(f"/account/sessions/{other.id}/end")
    assert sessions_of(user) == [own]
