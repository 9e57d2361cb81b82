"""A copied cookie is worthless once its session has ended, for whatever reason."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from app.models import User, UserSession
from tests.factories import PASSWORD, make_admin, make_user, sign_in

NEW_PASSWORD = "nanosecond wire in hand"

End = Callable[[Flask, FlaskClient, User], object]


def by_logging_out(app: Flask, client: FlaskClient, user: User) -> object:
    return client.post("/account/logout")


def by_ending_it_in_the_list(app: Flask, client: FlaskClient, user: User) -> object:
    session_id = newest_session(app)
    return elsewhere(app, user).post(f"/account/sessions/{session_id}/end")


def by_ending_all_others(app: Flask, client: FlaskClient, user: User) -> object:
    return elsewhere(app, user).post("/account/sessions/end-others")


def by_changing_the_password_elsewhere(app: Flask, client: FlaskClient, user: User) -> object:
    form = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    return elsewhere(app, user).post("/account/manage/change-password", data=form)


def by_resetting_the_password(app: Flask, client: FlaskClient, user: User) -> object:
    visitor = app.test_client()
    visitor.get(f"/account/reset-password/{user.generate_password_reset_token()}")
    form = {"new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    return visitor.post("/account/reset-password/form", data=form)


def by_this_was_not_me(app: Flask, client: FlaskClient, user: User) -> object:
    return app.test_client().post(f"/account/not-me/{user.generate_not_me_token(user.email)}")


def by_deleting_ones_account(app: Flask, client: FlaskClient, user: User) -> object:
    return elsewhere(app, user).post("/account/manage/delete", data={"password": PASSWORD})


def by_an_administrator_who_ends_sessions(app: Flask, client: FlaskClient, user: User) -> object:
    return elsewhere(app, make_admin()).post(f"/admin/user/{user.id}/end-sessions")


def by_an_administrator_who_disables(app: Flask, client: FlaskClient, user: User) -> object:
    return elsewhere(app, make_admin()).post(f"/admin/user/{user.id}/disable", data={"reason": "spam"})


def by_an_administrator_who_disables_and_enables(app: Flask, client: FlaskClient, user: User) -> object:
    by_an_administrator_who_disables(app, client, user)
    return elsewhere(app, make_admin()).post(f"/admin/user/{user.id}/enable")


def by_an_administrator_who_deletes(app: Flask, client: FlaskClient, user: User) -> object:
    return elsewhere(app, make_admin()).post(f"/admin/user/{user.id}/_delete")


WAYS: list[End] = [way for name, way in list(globals().items()) if name.startswith("by_")]


def elsewhere(app: Flask, user: User) -> FlaskClient:
    client = app.test_client()
    sign_in(client, user)
    return client


def newest_session(app: Flask) -> int:
    session = app.extensions["sqlalchemy"].session
    return session.scalar(select(UserSession.id).order_by(UserSession.id.desc()))


def copied(app: Flask, client: FlaskClient) -> Callable[[], int]:
    """Copy the browser's cookies; return a function that requests a private page with the copy."""
    cookie = client.get_cookie("session")
    assert cookie is not None

    def replay() -> int:
        thief = app.test_client()
        thief.set_cookie("session", cookie.value)
        return thief.get("/account/manage").status_code

    return replay


@pytest.mark.parametrize("end", WAYS, ids=lambda way: way.__name__)
def test_a_copied_cookie_dies_with_its_session(app: Flask, client: FlaskClient, end: End) -> None:
    user = make_user()
    sign_in(client, user, remember=True)
    replay = copied(app, client)
    assert replay() == 200, "the copy is good while the session lives"
    end(app, client, user)
    assert replay() == 302


def test_ending_one_session_leaves_the_other_and_other_people_alone(app: Flask, client: FlaskClient) -> None:
    user, neighbor = make_user(), make_user()
    sign_in(client, user)
    others = [copied(app, elsewhere(app, person)) for person in (user, neighbor)]
    client.post("/account/logout")
    assert [replay() for replay in others] == [200, 200]


def test_a_deleted_users_cookie_is_no_key_to_who_comes_after(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    sign_in(client, user)
    replay, old_id = copied(app, client), user.id
    db.session.delete(user)
    db.session.commit()
    assert make_user().id != old_id
    assert replay() == 302


def test_the_cookie_from_before_the_login_stays_anonymous(app: Flask, client: FlaskClient) -> None:
    client.get("/account/login")
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    replay = copied(app, client)
    sign_in(client, make_user())
    assert replay() == 302
    with client.session_transaction() as session:
        assert "planted" not in session


@pytest.mark.parametrize("value", ["1|forged", "1|é", "|", "x", "é|é", "\u202e|"])
def test_a_made_up_remember_cookie_is_nothing(client: FlaskClient, value: str) -> None:
    client.set_cookie("remember_token", value)
    assert client.get("/account/manage").status_code == 302
