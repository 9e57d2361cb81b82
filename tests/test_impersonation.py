"""Tests for administrators who look at the site as another user: who may, for how long, what is recorded."""

import logging
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select, update

from app.kit.core.request_log import JsonFormatter
from app.kit.db.database import utc_now
from app.models import AuditEvent, Email, KnownDevice, Permission, Role, User, UserSession
from tests.factories import PASSWORD, browser_of, make_admin, make_invited, make_role, make_user, sign_in
from tests.html_forms import forms_on

BANNER = "Back to my own account"
BACK = "/admin/stop-impersonating"


pytestmark = pytest.mark.usefixtures("kept_roles")


@pytest.fixture
def boss(client: FlaskClient) -> User:
    """Return the administrator as whom ``client`` is logged in."""
    user = make_admin(first_name="Grace", last_name="Keeper")
    sign_in(client, user)
    return user


def look(client: FlaskClient, user: User, reason: str = "ticket 7") -> str:
    response = client.post(f"/admin/user/{user.id}/impersonate", data={"reason": reason})
    return response.location or ""


def name_on(client: FlaskClient) -> str:
    """Return the name in the menu of this browser."""
    return client.get("/about").text.partition('class="user-menu__name">')[2].partition("<")[0]


def events() -> list[tuple[str, int | None, int | None, dict[str, object]]]:
    rows = AuditEvent.query.order_by(AuditEvent.id).filter(AuditEvent.event != "user.logged_in")
    return [(row.event, row.actor_id, row.subject_id, row.details) for row in rows]


def test_an_administrator_sees_what_a_user_sees_and_comes_back(client: FlaskClient, boss: User) -> None:
    user = make_user(first_name="Ada", last_name="Wren")
    assert look(client, user) == "/"
    for path in ("/", "/about", "/account/manage", "/nowhere", "/account/sessions"):
        page = client.get(path).text
        assert BANNER in page, path
        assert "<strong>Ada Wren</strong>" in page
        assert "30 minutes left" in page
    assert name_on(client) == "Ada Wren"
    assert 'href="/admin' not in client.get("/").text
    assert client.get("/admin/").status_code == 403
    assert client.post(BACK).location == f"/admin/user/{user.id}"
    assert name_on(client) == "Grace Keeper"
    assert BANNER not in client.get("/about").text
    assert UserSession.query.filter_by(user_id=user.id).count() == 0
    assert client.post(BACK).location == "/"
    assert events() == [
        ("user.impersonated", boss.id, user.id, {"reason": "ticket 7"}),
        ("user.impersonation_ended", boss.id, user.id, {"looking_as_account": user.id}),
    ]


def test_the_user_is_told_and_can_end_it(
    app: Flask, client: FlaskClient, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    theirs = browser_of(app, user)
    look(client, user)
    [mail] = Email.query
    assert (mail.kind, mail.user_id) == ("impersonated", user.id)
    assert "An administrator, looking at the site as this user" in theirs.get("/account/sessions").text
    theirs.post("/account/sessions/end-others")
    response = client.get("/account/manage")
    assert response.location == "/"
    assert "You see the site as yourself again" in client.get("/").text
    monkeypatch.setitem(app.config, "IMPERSONATION_NOTICE", False)
    look(client, user)
    assert Email.query.count() == 1


@pytest.mark.parametrize("who", ["oneself", "an equal", "disabled", "invited", "unconfirmed"])
def test_whom_nobody_may_impersonate(client: FlaskClient, boss: User, db: SQLAlchemy, who: str) -> None:
    user = {
        "oneself": lambda: boss,
        "an equal": make_admin,
        "disabled": lambda: make_user(disabled_at=utc_now()),
        "invited": make_invited,
        "unconfirmed": lambda: make_user(confirmed=False),
    }[who]()
    look(client, user)
    assert "See the site as this user" not in client.get(f"/admin/user/{user.id}").text
    assert name_on(client) == "Grace Keeper"
    assert events() == []


def test_it_takes_the_permission_and_more_permissions_than_the_user(app: Flask, db: SQLAlchemy) -> None:
    support = int(Permission.GENERAL | Permission.VIEW_USERS | Permission.IMPERSONATE)
    rows = [("Support", support), ("Other", Permission.GENERAL | Permission.MANAGE_JOBS)]
    for name, bits in rows:
        make_role(name, bits)
    client = browser_of(app, make_user("Support", first_name="Sue", last_name="Port"))
    for role in ("Support", "Other", "Administrator"):
        look(client, make_user(role))
        assert name_on(client) == "Sue Port", role
    assert look(client, make_user()) == "/"
    assert name_on(client) != "Sue Port"
    # The role is taken away in the middle.
    Role.with_name("Support").permissions = int(Permission.GENERAL)
    db.session.commit()
    assert client.get("/account/manage").location == "/"
    assert name_on(client) == "Sue Port"


def test_administrators_without_the_password_cannot_begin(client: FlaskClient, boss: User, db: SQLAlchemy) -> None:
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(minutes=16)))
    db.session.commit()
    assert look(client, make_user()).startswith("/account/confirm-password")


def test_a_reason_is_needed(client: FlaskClient, boss: User) -> None:
    user = make_user()
    assert look(client, user, "  ") == ""
    assert "Enter a reason." in client.post(f"/admin/user/{user.id}/impersonate", data={"reason": ""}).text
    assert name_on(client) == "Grace Keeper"


def test_it_ends_after_thirty_minutes_before_anything_is_done_as_the_administrator(
    client: FlaskClient, boss: User, db: SQLAlchemy
) -> None:
    user = make_user()
    look(client, user)
    of_user = update(UserSession).where(UserSession.user_id == user.id)
    db.session.execute(of_user.values(created_at=utc_now() - timedelta(minutes=29)))
    db.session.commit()
    assert "1 minute left" in client.get("/about").text
    db.session.execute(of_user.values(created_at=utc_now() - timedelta(minutes=31)))
    db.session.commit()
    response = client.post("/account/profile", data={"first_name": "Not", "last_name": "Hers"})
    assert response.location == "/"
    db.session.refresh(boss)
    assert boss.first_name == "Grace"
    assert name_on(client) == "Grace Keeper"
    assert len(db.session.scalars(select(UserSession.id).where(UserSession.is_over())).all()) == 1


@pytest.mark.parametrize("ending", ["log out", "ended elsewhere", "disabled"])
def test_it_ends_with_the_administrators_session(
    app: Flask, client: FlaskClient, boss: User, db: SQLAlchemy, ending: str
) -> None:
    user = make_user()
    look(client, user)
    if ending == "log out":
        client.post("/account/logout")
    elif ending == "ended elsewhere":
        UserSession.end_all(boss)
    else:
        boss.disable("test")
        UserSession.end_all(boss)
    db.session.commit()
    assert db.session.scalar(select(func.count()).select_from(UserSession)) == 0
    assert client.get("/account/manage").location.startswith("/account/login")
    assert name_on(client) == ""


def test_its_token_alone_logs_nobody_in(app: Flask, client: FlaskClient, boss: User) -> None:
    look(client, make_user())
    with client.session_transaction() as session:
        token = session["impersonation"]
    thief = app.test_client()
    with thief.session_transaction() as session:
        session["_user_id"] = token
    assert thief.get("/account/manage").location.startswith("/account/login")


def test_its_token_is_worth_nothing_to_another_administrator(app: Flask, client: FlaskClient, boss: User) -> None:
    look(client, make_user())
    with client.session_transaction() as session:
        token = session["impersonation"]
    other = browser_of(app, make_admin(first_name="Other", last_name="Boss"))
    with other.session_transaction() as session:
        session["impersonation"] = token
    assert other.get("/account/manage").location == "/"
    assert name_on(other) == "Other Boss"


def test_it_leaves_no_trace_of_a_login(client: FlaskClient, boss: User, db: SQLAlchemy) -> None:
    user = make_user()
    db.session.execute(update(UserSession).values(last_seen_at=utc_now() - timedelta(minutes=5)))
    db.session.commit()
    cookies = {cookie.key: cookie.value for cookie in client._cookies.values() if cookie.key != "session"}
    look(client, user)
    row = UserSession.query.filter_by(user_id=user.id).one()
    db.session.execute(update(UserSession).values(last_seen_at=utc_now() - timedelta(minutes=5)))
    db.session.commit()
    before = row.last_seen_at
    response = client.get("/account/manage")
    assert response.headers["Cache-Control"] == "no-store"
    db.session.expire_all()
    assert row.last_seen_at == before
    assert utc_now() - UserSession.query.filter_by(user_id=boss.id).one().last_seen_at < timedelta(minutes=1)
    assert {cookie.key: cookie.value for cookie in client._cookies.values() if cookie.key != "session"} == cookies
    assert KnownDevice.query.filter_by(user_id=user.id).count() == 0


def test_a_setting_allows_a_change_which_both_names_are_recorded_for(
    app: Flask, client: FlaskClient, boss: User, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user(make_role("Writer", Permission.GENERAL | Permission.CHANGE_PAGES).name)
    text, path = {"editor_name": "about", "edit_data": "x"}, "/admin/_preview_editor_contents"
    look(client, user)
    assert client.post(path, data=text).status_code == 403
    assert "You can only look" in client.post(path, data=text).text
    allowed = frozenset({"admin.preview_editor_contents", "account.profile", "admin.update_editor_contents"})
    monkeypatch.setitem(app.config, "CHANGES_WHILE_IMPERSONATING", allowed)
    assert client.post(path, data=text).status_code == 200
    assert client.post("/account/profile", data={"first_name": "X", "last_name": "Y"}).status_code == 403
    # Where the password is asked for, it is the user's, so it stays closed.
    assert "Back to my own account" in client.post("/admin/_update_editor_contents", data=text).text
    assert "page.edited" not in {event[0] for event in events()}


def test_log_lines_name_both(client: FlaskClient, boss: User, caplog: pytest.LogCaptureFixture) -> None:
    user, lines = make_user(), []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonFormatter().format(record))

    look(client, user)
    handler = Handler()
    logging.getLogger("app.request").addHandler(handler)
    client.get("/account/manage")
    logging.getLogger("app.request").removeHandler(handler)
    assert f'"user_id": {user.id}, "impersonator_id": {boss.id}' in lines[-1]


def test_a_form_that_was_open_before_is_not_sent_as_the_other(
    csrf_app: Flask, client: FlaskClient, db: SQLAlchemy
) -> None:
    boss, user = make_admin(), make_user()
    login = {**forms_on(client.get("/account/login").text)[0].values, "email": boss.email, "password": PASSWORD}
    assert client.post("/account/login", data=login).location == "/"
    page = client.get(f"/admin/user/{user.id}/impersonate").text
    form = next(form for form in forms_on(page) if "reason" in form.values)
    assert client.post(f"/admin/user/{user.id}/impersonate", data={**form.values, "reason": "x"}).location == "/"
    assert client.post(BACK, data=form.values).status_code == 400
    back = next(form for form in forms_on(client.get("/about").text) if form.action == BACK)
    assert client.post(BACK, data=back.values).location == f"/admin/user/{user.id}"
