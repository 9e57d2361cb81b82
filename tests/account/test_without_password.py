"""Users without a password can do what others can, and confirm who they are by what they have instead."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import update
from wtforms import SubmitField

from app.account.confirmation import OwnersForm
from app.email import catalog
from app.kit.db.database import utc_now
from app.models import AuditEvent, Email, Flow, Passkey, User, UserSession, Way, delete_user
from tests.account.mailed import mailed_kinds, mailed_link
from tests.factories import PASSWORD, browser_of, let_in, make_admin, make_flow, make_invited, make_user, sign_in
from tests.test_sign_in import set_up

NEW_PASSWORD = "nanosecond wire in hand"
NEW = {"new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
CONFIRM = "/account/confirm-password"
FORMS = {
    "/account/manage/change-email": {"email": "new@example.org"},
    "/account/manage/change-password": NEW,
    "/account/manage/delete": {"submit": "y"},
}


@pytest.fixture
def user(db: SQLAlchemy) -> User:
    """Return a user without a password."""
    user = make_user()
    user.password_hash = None
    db.session.commit()
    return user


@pytest.fixture
def own(client: FlaskClient, user: User) -> FlaskClient:
    """Return a browser in which that user logged in an hour ago."""
    let_in(client, user)
    forget_confirmation()
    return client


def forget_confirmation() -> None:
    from app.extensions import db

    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(hours=1)))
    db.session.commit()


def mailed_sudo_code() -> str:
    row = Email.query.filter_by(kind="sudo_code").order_by(Email.id.desc()).first()
    rendered = catalog.emails["sudo_code"].compose(row)
    assert rendered is not None, "the email would be canceled"
    return re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", rendered.text).group()


def ask(client: FlaskClient) -> str:
    assert client.post(f"{CONFIRM}/code?next=/account/manage/delete").location.startswith(CONFIRM)
    return mailed_sudo_code()


@pytest.mark.parametrize("page", FORMS)
def test_forms_ask_who_it_is_first_and_for_no_password(own: FlaskClient, user: User, page: str) -> None:
    for answer in (own.get(page), own.post(page, data=FORMS[page])):
        assert answer.location == f"{CONFIRM}?next={page}"
    assert own.post(f"{CONFIRM}?next={page}", data={"code": ask(own)}).location == page
    form = own.get(page).text
    assert 'autocomplete="current-password"' not in form
    assert own.post(page, data=FORMS[page]).status_code == 302
    if page.endswith("delete"):
        assert User.query.count() == 0
    elif page.endswith("password"):
        assert user.verify_password(NEW_PASSWORD)
    else:
        assert "change_email" in mailed_kinds()


def test_a_code_confirms_once_in_the_browser_that_asked(app: Flask, own: FlaskClient, user: User) -> None:
    other = browser_of(app, user)
    forget_confirmation()
    code = ask(own)
    assert 'name="code"' not in other.get(CONFIRM).text
    assert other.post(CONFIRM, data={"code": code}).status_code == 200
    assert own.post(CONFIRM, data={"code": "wrong"}).status_code == 200
    assert own.post(CONFIRM, data={"code": code}).status_code == 302
    forget_confirmation()
    assert own.post(CONFIRM, data={"code": code}).status_code == 200
    assert own.post("/account/sessions/end-others").location.startswith(CONFIRM)


def test_after_three_wrong_codes_a_new_one_is_needed(own: FlaskClient) -> None:
    code = ask(own)
    pages = [own.post(CONFIRM, data={"code": "wrong"}).text for _ in range(3)]
    assert all("This code is wrong" in page for page in pages)
    assert own.post(CONFIRM, data={"code": code}).status_code == 200
    assert own.post(CONFIRM, data={"code": ask(own)}).status_code == 302


def test_a_code_is_mailed_only_on_request_and_five_times_an_hour(own: FlaskClient, limits: None) -> None:
    own.get(CONFIRM)
    assert mailed_kinds() == []
    assert [own.post(f"{CONFIRM}/code").status_code for _ in range(6)] == [302] * 5 + [429]


def test_who_has_a_password_or_a_passkey_gets_no_code(app: Flask, db: SQLAlchemy, user: User) -> None:
    with_password = browser_of(app, make_user())
    db.session.add(Passkey(user_id=user.id, credential_id=b"1", user_handle=b"1", public_key=b"-", name="A key"))
    with_passkey = browser_of(app, user)
    for client in (with_password, with_passkey):
        client.post(f"{CONFIRM}/code")
        assert "Email me" not in client.get(CONFIRM).text
    assert mailed_kinds() == []
    assert 'name="password"' in with_password.get(CONFIRM).text
    assert "You have no password" in with_passkey.get(CONFIRM).text


def test_a_session_that_began_without_the_second_factor_has_to_begin_again(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    client = browser_of(app, user)
    set_up(db, user, Way.APP, Way.RECOVERY_CODE)
    page = client.get(f"{CONFIRM}?next=/account/sessions").text
    assert 'name="password"' not in page
    assert 'name="next" value="/account/sessions"' in page
    client.post(CONFIRM, data={"password": PASSWORD})
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(hours=1)))
    db.session.commit()
    assert client.post("/account/sessions/end-others").location.startswith(CONFIRM)
    db.session.execute(update(UserSession).values(has_two_factors=True))
    db.session.commit()
    assert client.post(CONFIRM, data={"password": PASSWORD}).status_code == 302


def test_a_password_is_removed_if_another_way_remains(
    app: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    elsewhere = browser_of(app, user)
    sign_in(client, user)
    assert "Remove the password" not in client.get("/account/manage/change-password").text
    client.post("/account/manage/remove-password")
    assert user.password_hash, "it is the last way in"
    monkeypatch.setitem(app.config, "MAGIC_LINK", True)
    assert "Remove the password" in client.get("/account/manage/change-password").text
    assert client.post("/account/manage/remove-password").location == "/account/manage/security"
    assert user.password_hash is None
    assert elsewhere.get("/account/manage").status_code == 302
    assert client.get("/account/manage").status_code == 200
    assert mailed_kinds()[-1] == "password_removed"
    assert AuditEvent.query.filter_by(event="password.removed", subject_id=user.id).count() == 1
    assert "You log in without one." in client.get("/account/manage/security").text


@pytest.mark.parametrize("way", [Way.PASSKEY, Way.APP])
def test_only_what_logs_in_by_itself_replaces_a_password(client: FlaskClient, db: SQLAlchemy, way: Way) -> None:
    user = make_user()
    sign_in(client, user)
    set_up(db, user, way)
    client.post("/account/manage/remove-password")
    assert (user.password_hash is None) is (way is Way.PASSKEY)


def test_a_reset_sets_a_first_password(client: FlaskClient, user: User) -> None:
    client.post("/account/reset-password", data={"email": user.email})
    link = mailed_link("reset_password")
    client.get(link)
    client.post("/account/reset-password/form", data=NEW)
    assert user.verify_password(NEW_PASSWORD)
    user.password_hash = None
    assert "not valid" in client.get(link, follow_redirects=True).text, "it worked once"


def test_nobody_logs_in_with_a_password_that_is_gone(client: FlaskClient, user: User) -> None:
    for password in (PASSWORD, "None", ""):
        client.post("/account/login", data={"email": user.email, "password": password})
    assert UserSession.query.count() == 0


@pytest.mark.parametrize("deed", ["not me", "forced reset"])
def test_who_never_had_a_password_has_none_after_a_recovery_either_and_old_links_are_dead(
    app: Flask, client: FlaskClient, user: User, db: SQLAlchemy, deed: str
) -> None:
    client.post("/account/reset-password", data={"email": user.email})
    link = mailed_link("reset_password")
    make_flow("browser", "second_step", user)
    mark = user.password_mark
    browser_of(app, user)
    if deed == "not me":
        assert client.post(f"/account/not-me/{user.generate_not_me_token(user.email)}").status_code == 302
    else:
        browser_of(app, make_admin()).post(f"/admin/user/{user.id}/force-password-reset")
    assert user.password_hash is None
    assert UserSession.query.filter_by(user_id=user.id).count() == Flow.query.count() == 0
    assert user.password_mark != mark, "remembered browsers are forgotten"
    assert "not valid" in client.get(link, follow_redirects=True).text
    client.get(mailed_link("reset_password"))
    assert client.post("/account/reset-password/form", data=NEW).location == "/account/login"
    assert user.verify_password(NEW_PASSWORD)


def test_an_accepted_invitation_stays_dead_without_a_password(client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_invited()
    token = user.generate_invitation_token()
    assert User.with_token("invite", token) is user
    user.redeem_invitation(token, PASSWORD)
    user.password_hash = None
    db.session.commit()
    assert User.with_token("invite", token) is None


def test_the_state_and_the_last_administrator_do_not_depend_on_a_password(db: SQLAlchemy, user: User) -> None:
    admin, other = make_admin(), make_admin()
    assert user.state == "active"
    other.password_hash = None
    db.session.commit()
    assert not admin.is_last_administrator()
    delete_user(other)
    assert admin.is_last_administrator()


def test_a_form_that_forgets_the_owners_password_fails_at_once(app: Flask) -> None:
    class ForgetfulForm(OwnersForm):
        submit = SubmitField("Delete everything")

    with app.test_request_context(), pytest.raises(KeyError, match="password"):
        ForgetfulForm()
