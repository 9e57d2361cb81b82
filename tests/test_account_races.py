"""A password is verified without holding anything; what was done with the account meanwhile comes first.

Each of the changes below happens between the hash and the write of a request that knew the old password, once
forced and once beside a dozen at the same moment; in ``-m attacks`` 60 times, beside five.
A fault that shows in 5 of 100 rounds is found with 95 percent; each fault that we know of is forced above.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from app.extensions import db as database
from app.models import AuditEvent, Email, User, UserSession
from tests.account.mailed import mailed_kinds
from tests.factories import PASSWORD, browser_of, make_admin, make_user
from tests.meanwhile import after_the_next_hash
from tests.together import together

FIRST, SECOND = "nanosecond wire in hand", "compiler moth in a relay"

Action = Callable[[], object]
Change = Callable[[Flask, User], Action]


pytestmark = pytest.mark.usefixtures("error_pages")


def log_in(app: Flask, address: str, password: str = PASSWORD) -> TestResponse:
    return app.test_client().post("/account/login", data={"email": address, "password": password})


# What is done with the account: made ready now, and done by calling the answer.


def reset(app: Flask, user: User) -> Action:
    client = app.test_client()
    client.get(f"/account/reset-password/{user.generate_password_reset_token()}")
    form = {"new_password": FIRST, "new_password2": FIRST}
    return lambda: client.post("/account/reset-password/form", data=form)


def change_password(app: Flask, user: User, password: str = FIRST) -> Action:
    client = browser_of(app, user)
    form = {"old_password": PASSWORD, "new_password": password, "new_password2": password}
    return lambda: client.post("/account/manage/change-password", data=form)


def take_back(app: Flask, user: User) -> Action:
    path = f"/account/not-me/{user.generate_not_me_token(user.email)}"
    return lambda: app.test_client().post(path)


def disable_and_enable(app: Flask, user: User) -> Action:
    client, path = browser_of(app, make_admin()), f"/admin/user/{user.id}"
    return lambda: [client.post(f"{path}/{deed}", data={"reason": "x"}) for deed in ("disable", "enable")]


def move(app: Flask, user: User) -> Action:
    client, token = browser_of(app, user), user.generate_email_change_token(f"moved-{user.email}")
    return lambda: client.post(f"/account/manage/change-email/{token}")


def leave(app: Flask, user: User) -> Action:
    client = browser_of(app, user)
    return lambda: client.post("/account/manage/delete", data={"password": PASSWORD})


ENDS_ALL = [reset, take_back, disable_and_enable, leave]
CHANGES = [*ENDS_ALL, change_password, move]


def sessions_since(db: SQLAlchemy, newest: int) -> int:
    return db.session.scalar(select(func.count()).select_from(UserSession).where(UserSession.id > newest)) or 0


def newest_session(db: SQLAlchemy) -> int:
    return db.session.scalar(select(func.max(UserSession.id))) or 0


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_login_in_flight_is_answered_like_a_wrong_password(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    user = make_user()
    address, action = user.email, change(app, user)
    newest = newest_session(db)
    db.session.remove()
    done = after_the_next_hash(monkeypatch, action)
    answer = log_in(app, address)
    assert done, "the change did not happen in between"
    assert (answer.status_code, "Wrong email address or password." in answer.text) == (200, True)
    assert sessions_since(db, newest) == 0


def test_a_login_in_flight_beside_nothing_is_let_in(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    address = user.email
    db.session.remove()
    after_the_next_hash(monkeypatch, lambda: log_in(app, address))
    assert log_in(app, address).status_code == 302


@pytest.mark.parametrize("change", [reset, take_back], ids=lambda change: change.__name__)
def test_a_change_of_password_in_flight_is_void(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    user = make_user()
    user_id, action, thiefs = user.id, change(app, user), change_password(app, user, SECOND)
    db.session.remove()
    done = after_the_next_hash(monkeypatch, action)
    assert thiefs().location.startswith("/account/login"), "the session is gone, a moment later"
    assert done
    user = db.session.get(User, user_id)
    assert not user.verify_password(SECOND)
    assert user.verify_password(FIRST) is (change is reset)


def test_of_two_changes_of_password_the_later_finds_the_old_one_wrong(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    user_id, client = user.id, browser_of(app, user)
    cookie = client.get_cookie("session").value
    form = {"old_password": PASSWORD, "new_password": SECOND, "new_password2": SECOND}
    db.session.remove()

    def in_another_tab() -> TestResponse:
        tab = app.test_client()
        tab.set_cookie("session", cookie)
        return tab.post("/account/manage/change-password", data={**form, "new_password": FIRST, "new_password2": FIRST})

    done = after_the_next_hash(monkeypatch, in_another_tab)
    answer = client.post("/account/manage/change-password", data=form)
    assert done[0].location == "/account/manage/info"
    assert "The old password is wrong." in answer.text
    assert db.session.get(User, user_id).verify_password(FIRST)


@pytest.mark.parametrize("change", [reset, take_back, change_password], ids=lambda change: change.__name__)
def test_the_renewal_of_an_old_hash_overwrites_nothing(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    user = make_user()
    user.password_hash = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
    db.session.commit()
    user_id, address, action = user.id, user.email, change(app, user)
    db.session.remove()
    after_the_next_hash(monkeypatch, action)
    assert "Wrong email address or password." in log_in(app, address).text
    user = db.session.get(User, user_id)
    assert not user.verify_password(PASSWORD)
    assert user.verify_password(FIRST) is (change is not take_back)


@pytest.mark.parametrize("change", [reset, take_back, leave], ids=lambda change: change.__name__)
@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/account/confirm-password", {"password": PASSWORD}),
        ("/account/manage/change-email", {"password": PASSWORD, "email": "thief@example.org"}),
        ("/account/manage/delete", {"password": PASSWORD}),
        (
            "/account/manage/change-password",
            {"old_password": PASSWORD, "new_password": SECOND, "new_password2": SECOND},
        ),
    ],
)
def test_whatever_else_needs_the_password_meets_the_account_as_it_is(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch, change: Change, path: str, form: dict[str, str]
) -> None:
    user = make_user()
    client, action, user_id = browser_of(app, user), change(app, user), user.id
    db.session.remove()
    done = after_the_next_hash(monkeypatch, action)
    answer = client.post(path, data=form)
    assert done
    assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/account/login")
    assert (db.session.get(User, user_id) is None) is (change is leave)
    assert "change_email" not in mailed_kinds()


@pytest.mark.parametrize(
    ("rounds", "logins"),
    [pytest.param(1, 12, id="short"), pytest.param(60, 5, id="long", marks=pytest.mark.attacks)],
)
@pytest.mark.parametrize("change", [*ENDS_ALL, change_password], ids=lambda change: change.__name__)
def test_no_session_of_a_dozen_logins_survives(
    app: Flask, db: SQLAlchemy, change: Change, rounds: int, logins: int
) -> None:
    for _ in range(rounds):
        user = make_user()
        user_id, address, action = user.id, user.email, change(app, user)
        before = newest_session(db)
        db.session.commit()
        together([action, *[lambda address=address: log_in(app, address)] * logins])
        db.session.rollback()
        query = select(UserSession).where(UserSession.user_id == user_id, UserSession.id > before)
        survivors = list(db.session.scalars(query))
        if change is disable_and_enable:  # who comes after that has the right password
            survivors = [row for row in survivors if row.created_at < enabled_at(db, user_id)]
        assert survivors == []
        forget_everything(db)


def enabled_at(db: SQLAlchemy, user_id: int) -> object:
    query = select(AuditEvent.created_at).where(AuditEvent.event == "user.enabled", AuditEvent.subject_id == user_id)
    return db.session.scalars(query).one()


def forget_everything(db: SQLAlchemy) -> None:
    for model in (AuditEvent, Email, User):
        db.session.execute(model.__table__.delete())
    db.session.commit()


@pytest.mark.parametrize(
    "rounds", [pytest.param(1, id="short"), pytest.param(60, id="long", marks=pytest.mark.attacks)]
)
@pytest.mark.parametrize("change", [reset, take_back], ids=lambda change: change.__name__)
@pytest.mark.parametrize("old_hash", [False, True])
def test_no_password_of_a_thief_is_final(
    app: Flask, db: SQLAlchemy, change: Change, rounds: int, old_hash: bool
) -> None:
    for _ in range(rounds):
        user = make_user()
        if old_hash:
            user.password_hash = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
            database.session.commit()
        user_id, address = user.id, user.email
        action, thiefs = change(app, user), change_password(app, user, SECOND)
        db.session.commit()
        answer, *_ = together([action, thiefs, *[lambda address=address: log_in(app, address)] * 4])
        db.session.rollback()
        user = db.session.get(User, user_id)
        # Only a reset whose link died of the thief's change, which came first, leaves the thief's password.
        is_done = answer.location == "/account/login"
        assert is_done or change is reset
        assert user.verify_password(FIRST) is (is_done and change is reset)
        assert user.verify_password(SECOND) is not is_done
        assert not user.verify_password(PASSWORD)
        forget_everything(db)
