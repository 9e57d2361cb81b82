"""Tests for a button pressed five times, or by two people at once: the result is as if the requests came in turn."""

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.admin import user_actions
from app.jobs import export_data
from app.models import AuditEvent, DataExport, Email, Role, User
from tests.factories import PASSWORD, browser_of, make_admin, make_invited, make_user
from tests.meanwhile import after_the_next_hash
from tests.together import together

NEW = "nanosecond wire in hand"
LOGIN, LEAVE = "/account/login", "/account/manage/delete"
# The forms of a logged-in user: path and fields.
FORMS: dict[str, dict[str, str]] = {
    "/account/manage/change-password": {"old_password": PASSWORD, "new_password": NEW, "new_password2": NEW},
    "/account/manage/change-email": {"email": "new@example.org", "password": PASSWORD},
    "/account/confirm-password": {"password": PASSWORD},
    "/account/manage/export": {},
    "/account/sessions/end-others": {},
    "/account/confirm-account": {},
    "/account/logout": {},
}


pytestmark = pytest.mark.usefixtures("error_pages")


def posting(client: FlaskClient, path: str, form: dict[str, str]) -> Callable[[], TestResponse]:
    """Return a function that posts from a copy of this browser, as several tabs share one cookie."""
    cookie = client.get_cookie("session")

    def post() -> TestResponse:
        tab = client.application.test_client()
        if cookie is not None:
            tab.set_cookie("session", cookie.value)
        return tab.post(path, data=form)

    return post


def at_once(db: SQLAlchemy, *actions: Callable[[], TestResponse]) -> list[str]:
    """Return where the requests were redirected, "page" for no redirect; none may fail."""
    db.session.commit()
    answers = together(actions)
    db.session.rollback()
    assert [answer.status_code for answer in answers if answer.status_code >= 400] == []
    return [(answer.location or "page").partition("?")[0] for answer in answers]


def events(db: SQLAlchemy) -> Counter[str]:
    return Counter(db.session.scalars(select(AuditEvent.event)))


def test_a_deletion_sent_five_times_deletes_once(app: Flask, db: SQLAlchemy) -> None:
    client = browser_of(app, make_user())
    led_to = at_once(db, *[posting(client, LEAVE, {"password": PASSWORD})] * 5)
    assert sorted(led_to) == ["/"] + [LOGIN] * 4
    assert events(db) == {"user.deleted_own_account": 1}
    assert list(db.session.scalars(select(Email.kind))) == ["account_deleted"]


@pytest.mark.parametrize("path", FORMS)
def test_whatever_is_sent_beside_a_deletion_comes_before_or_after(app: Flask, db: SQLAlchemy, path: str) -> None:
    user = make_user(email="leaving@example.org")
    client = browser_of(app, user)
    posts = [posting(client, path, FORMS[path]) for _ in range(2)]
    at_once(db, posts[0], posting(client, LEAVE, {"password": PASSWORD}), posts[1])
    left = User.with_email("leaving@example.org")
    # A logout or a new password that came first ends the session, so the deletion is refused.
    assert left is None or path in {"/account/logout", "/account/manage/change-password"}
    assert left is not None or events(db)["user.deleted_own_account"] == 1
    assert db.session.scalar(select(func.count()).select_from(DataExport)) == 0 or left


def test_a_login_beside_a_deletion_is_let_in_or_not(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    login = posting(app.test_client(), LOGIN, {"email": user.email, "password": PASSWORD})
    led_to = at_once(db, login, posting(browser_of(app, user), LEAVE, {"password": PASSWORD}), login)
    assert led_to[1] == "/"
    assert set(led_to) <= {"/", "page"}
    assert db.session.scalar(select(func.count()).select_from(User)) == 0


def test_a_change_of_password_sent_five_times_is_one(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    client, path = browser_of(app, user), "/account/manage/change-password"
    led_to = at_once(db, *[posting(client, path, FORMS[path])] * 5)
    assert sorted(led_to) == ["/account/manage/info"] + ["page"] * 4
    assert events(db) == {"password.changed": 1}
    assert user.verify_password(NEW)


def test_a_change_of_address_pressed_five_times_is_one(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    client, path = browser_of(app, user), f"/account/manage/change-email/{user.generate_email_change_token('b@c.org')}"
    led_to = at_once(db, *[posting(client, path, {})] * 5)
    assert sorted(led_to) == ["/account/manage/change-email"] * 4 + ["/account/manage/info"]
    assert events(db) == {"email.changed": 1}


@pytest.mark.parametrize("deed", ["change-account-type", "disable"])
def test_of_three_administrators_two_who_remove_each_other_do_not_both(app: Flask, db: SQLAlchemy, deed: str) -> None:
    make_admin()
    one, other = make_admin(), make_admin()
    form = {"role": str(Role.for_newcomers().id), "reason": "x"}
    browsers = [(browser_of(app, one), other.id), (browser_of(app, other), one.id)]
    db.session.commit()
    answers = together([posting(client, f"/admin/user/{victim}/{deed}", form) for client, victim in browsers])
    db.session.rollback()
    assert not [answer.status_code for answer in answers if answer.status_code >= 500]
    assert sum(user.is_admin() and not user.is_disabled for user in User.query) == 2


@pytest.mark.parametrize("deed", ["_delete", "disable", "enable", "end-sessions", "change-email", "resend-invitation"])
def test_two_administrators_who_do_the_same(app: Flask, db: SQLAlchemy, deed: str) -> None:
    victim = make_invited() if deed == "resend-invitation" else make_user()
    path, form = f"/admin/user/{victim.id}/{deed}", {"reason": "x", "email": "moved@example.org"}
    browsers = [browser_of(app, make_admin()) for _ in range(3)]
    db.session.commit()
    statuses = sorted(answer.status_code for answer in together([posting(one, path, form) for one in browsers]))
    later = {"_delete": 404, "change-email": 200}.get(deed, 302)  # gone, and "Somebody has this address already."
    assert statuses == sorted([302, later, later])
    db.session.rollback()
    assert events(db)["user.deleted"] == (deed == "_delete")


def test_an_administrators_action_beside_the_users_own_deletion(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    path, form = (
        f"/admin/user/{user.id}/",
        {"role": str(Role.for_newcomers().id), "reason": "x", "email": "m@example.org"},
    )
    admin, leaving = browser_of(app, make_admin()), posting(browser_of(app, user), LEAVE, {"password": PASSWORD})
    db.session.commit()
    deeds = [posting(admin, path + deed, form) for deed in ("change-account-type", "change-email", "enable", "_delete")]
    statuses = {answer.status_code for answer in together([*deeds, leaving, *deeds])}
    assert statuses <= {302, 404, 200}, "200: the address is taken, by the user itself"


def test_who_is_disabled_meanwhile_adds_nobody(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = make_admin(), make_admin()
    form = {"first_name": "Eve", "last_name": "X", "email": "eve@example.org", "role": str(one.role_id)}
    client = browser_of(app, one)
    disabling = posting(browser_of(app, other), f"/admin/user/{one.id}/disable", {"reason": "x"})
    db.session.commit()
    done = after_the_next_hash(monkeypatch, disabling, "hash_password", user_actions)
    answer = client.post("/admin/new-user", data={**form, "password": NEW, "password2": NEW})
    assert done
    assert answer.location.startswith(LOGIN)
    assert User.with_email("eve@example.org") is None


def test_an_export_that_is_written_by_two_workers_is_told_once(app: Flask, db: SQLAlchemy) -> None:
    export = DataExport(user=make_user())
    db.session.add(export)
    db.session.commit()
    export_id = export.id

    def work() -> None:
        with app.app_context():
            export_data(export_id)

    db.session.remove()
    together([work] * 4)
    assert list(db.session.scalars(select(Email.kind))) == ["export_ready"]


def test_an_export_whose_user_leaves_meanwhile_is_not_written(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    export = DataExport(user=user)
    db.session.add(export)
    db.session.commit()
    leaving = posting(browser_of(app, user), LEAVE, {"password": PASSWORD})
    export_id = export.id
    db.session.remove()

    def work() -> None:
        with app.app_context():
            export_data(export_id)

    together([work, leaving])
    assert User.query.all() == []


def test_a_form_that_comes_after_the_deletion_leads_to_the_login(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser_of(app, make_user())
    delete, form = posting(client, LEAVE, {"password": PASSWORD}), FORMS["/account/manage/change-password"]
    db.session.commit()
    after_the_next_hash(monkeypatch, delete)
    answer = client.post("/account/manage/change-password", data=form)
    assert answer.location == LOGIN
    assert "Log in to see this page." in client.get(answer.location).text
