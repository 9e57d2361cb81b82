"""Setting second factors up, logging in with them, and removing them."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select, update

from app.kit.auth import totp
from app.kit.db.database import utc_now
from app.kit.pages.moments import exact_time
from app.models import (
    AuditEvent,
    AuthenticatorApp,
    DataExport,
    Flow,
    Passkey,
    RecoveryCode,
    User,
    UserSession,
    second_factors,
)
from tests.account.mailed import mailed_kinds, mailed_link
from tests.account.second_factors import (
    APP_PAGE,
    CODES_PAGE,
    SECOND_STEP,
    add_app,
    code_of,
    first_step,
    save_codes,
    saying_saved,
    second_step,
    shown_codes,
    shown_secret,
    turn_on,
)
from tests.factories import browser_of, let_in, make_user, sign_in

SECURITY = "/account/manage/security"
WRONG = "000000"


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the codes, whose step could end within a test."""
    now = totp.current_step()
    monkeypatch.setattr(totp, "current_step", lambda: now)


@pytest.fixture
def user(client: FlaskClient) -> User:
    """Return a user who is logged in in ``client``."""
    user = make_user()
    let_in(client, user)
    return user


def session_of(user: User) -> UserSession:
    return UserSession.living(user)[0]


def is_in(client: FlaskClient) -> bool:
    return client.get("/account/manage").status_code == 200


def events(db: SQLAlchemy) -> list[str]:
    return list(db.session.scalars(select(AuditEvent.event).order_by(AuditEvent.id)))


def test_an_app_is_on_once_it_showed_a_code_and_the_recovery_codes_are_saved(
    app: Flask, client: FlaskClient, user: User, db: SQLAlchemy
) -> None:
    elsewhere = browser_of(app, user)
    secret, answer = add_app(client)
    assert answer.location == CODES_PAGE
    assert not second_factors(user)
    assert is_in(elsewhere)
    codes = save_codes(client)
    assert len(set(codes)) == 10
    assert all(len(code.replace("-", "")) * 5 >= 112 for code in codes)
    assert second_factors(user) == {"app", "recovery_code"}
    assert is_in(client)
    assert not is_in(elsewhere), "who logged in without a second factor is logged out"
    assert (session_of(user).ways, session_of(user).has_two_factors) == ("password,app", True)
    assert mailed_kinds() == ["second_factor_changed", "second_factor_changed"]
    assert events(db) == ["second_factor.added", "second_factor.turned_on"]
    assert not db.session.scalars(select(Flow)).all()
    assert mailed_link("second_factor_changed")
    assert totp.as_text(secret) not in client.get(SECURITY).text


def test_the_set_up_page_shows_the_secret_in_three_ways_without_styles(client: FlaskClient, user: User) -> None:
    assert "Begin" in client.get(APP_PAGE).text
    client.post(APP_PAGE)
    answer = client.get(APP_PAGE)
    secret = shown_secret(answer.text)
    assert f"otpauth://totp/Flask-Base%3A{user.email.replace('@', '%40')}?secret={totp.as_text(secret)}" in answer.text
    assert '<svg viewBox="0 0' in answer.text
    assert "style=" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_wrong_first_code_keeps_the_secret_and_a_wrong_clock_is_told(client: FlaskClient, user: User) -> None:
    client.post(APP_PAGE)
    secret = shown_secret(client.get(APP_PAGE).text)
    for code, told in ((WRONG, "This code is wrong"), (code_of(secret, 7), "Check the clock"), ("", "Enter a code")):
        page = client.post(APP_PAGE, data={"code": code}).text
        assert told in page
        assert shown_secret(page) == secret
    assert AuthenticatorApp.of(user) is None


def test_a_first_code_that_comes_too_late_begins_anew(client: FlaskClient, user: User, db: SQLAlchemy) -> None:
    client.post(APP_PAGE)
    secret = shown_secret(client.get(APP_PAGE).text)
    db.session.execute(update(Flow).values(expires_at=utc_now() - timedelta(seconds=1)))
    db.session.commit()
    page = client.post(APP_PAGE, data={"code": code_of(secret)}, follow_redirects=True).text
    assert "took too long" in page
    assert shown_secret(page) != secret


def test_setting_up_takes_the_password_and_the_own_browser(
    app: Flask, client: FlaskClient, user: User, db: SQLAlchemy
) -> None:
    client.post(APP_PAGE)
    assert 'id="secret"' not in browser_of(app, user).get(APP_PAGE).text
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(hours=1)))
    db.session.commit()
    for page in (APP_PAGE, CODES_PAGE, f"{CODES_PAGE}/download"):
        assert client.get(page).location.startswith("/account/confirm-password")


def test_apps_can_be_switched_off_and_those_that_are_set_up_stay(
    client: FlaskClient, user: User, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    monkeypatch.setitem(app.config, "AUTHENTICATOR_APPS", False)
    assert client.get(APP_PAGE).status_code == 404
    assert "Authenticator app" not in client.get(SECURITY).text
    with monkeypatch.context() as patch:
        patch.setitem(app.config, "PASSKEYS", False)
        assert "econd factor" not in client.get(SECURITY).text
    monkeypatch.setitem(app.config, "AUTHENTICATOR_APPS", True)
    secret, _codes = turn_on(client, user)
    monkeypatch.setitem(app.config, "AUTHENTICATOR_APPS", False)
    assert "Authenticator app" in client.get(SECURITY).text
    other = app.test_client()
    assert first_step(other, user).location == SECOND_STEP
    assert second_step(other, code_of(secret)).location == "/"


def test_a_login_takes_the_password_and_a_code_and_returns_to_where_it_began(
    app: Flask, client: FlaskClient, user: User
) -> None:
    secret, _codes = turn_on(client, user)
    other = app.test_client()
    assert first_step(other, user, "/account/login?next=/account/sessions").location == SECOND_STEP
    assert not is_in(other)
    assert "authenticator app" in other.get(SECOND_STEP).text
    code = code_of(secret)
    assert second_step(other, f"{code[:3]} {code[3:]}").location == "/account/sessions"
    assert (session_of(user).ways, session_of(user).has_two_factors) == ("password,app", True)


def test_a_code_works_once_and_so_does_the_one_before_it(app: Flask, client: FlaskClient, user: User) -> None:
    secret, _codes = turn_on(client, user)
    code, before = code_of(secret), code_of(secret, -1)
    other = app.test_client()
    first_step(other, user)
    assert second_step(other, code).location == "/"
    again = app.test_client()
    first_step(again, user)
    for used in (code, before):
        assert "used already" in second_step(again, used).text
    assert not is_in(again)


def test_a_wrong_clock_is_told_without_using_the_code_up(app: Flask, client: FlaskClient, user: User) -> None:
    secret, _codes = turn_on(client, user)
    other = app.test_client()
    first_step(other, user)
    for steps in (-10, 10, 2):
        assert "Check the clock" in second_step(other, code_of(secret, steps)).text
    assert "This code is wrong" in second_step(other, code_of(secret, 11)).text
    assert second_step(other, code_of(secret)).location == "/"


@pytest.mark.parametrize("typed", ["１２３４５６", "\ud800", "12345\ud800", "x" * 65, "' OR 1=1", "-", "\x00"])
def test_strange_codes_are_wrong_codes(app: Flask, client: FlaskClient, user: User, typed: str) -> None:
    turn_on(client, user)
    other = app.test_client()
    first_step(other, user)
    body = b"code=" + "".join(f"%{byte:02X}" for byte in typed.encode("utf-8", "surrogatepass")).encode()
    answer = other.post(SECOND_STEP, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code < 500
    assert not is_in(other)


def test_a_recovery_code_works_once_and_its_owner_is_told(app: Flask, client: FlaskClient, user: User) -> None:
    _secret, codes = turn_on(client, user)
    other = app.test_client()
    first_step(other, user)
    # As it is read from paper.
    assert second_step(other, codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")).location == "/"
    assert session_of(user).ways == "password,recovery_code"
    assert "recovery_code_used" in mailed_kinds()
    assert "9 of 10 left" in other.get(SECURITY).text
    again = app.test_client()
    first_step(again, user)
    assert "This code is wrong" in second_step(again, codes[0]).text


def test_few_recovery_codes_are_told_and_new_ones_make_the_old_ones_void(
    app: Flask, client: FlaskClient, user: User, db: SQLAlchemy
) -> None:
    _secret, old = turn_on(client, user)
    used = select(RecoveryCode.id).limit(7)
    db.session.execute(update(RecoveryCode).where(RecoveryCode.id.in_(used)).values(used_at=utc_now()))
    db.session.commit()
    assert "You have 3 recovery codes left" in client.get(SECURITY).text
    client.post(CODES_PAGE)
    assert RecoveryCode.left(user) == 3, "the old ones work until the new ones are saved"
    page = client.get(CODES_PAGE).text
    new = shown_codes(page)
    client.post(CODES_PAGE, data=saying_saved(page))
    assert RecoveryCode.left(user) == 10
    assert shown_codes(client.get(CODES_PAGE).text) == [], "they are never shown again"
    assert events(db)[-1] == "recovery_codes.made"
    assert is_in(client)
    other = app.test_client()
    first_step(other, user)
    assert "wrong" in second_step(other, old[9]).text
    assert second_step(other, new[0]).location == "/"


def test_recovery_codes_are_downloaded_until_they_are_saved(client: FlaskClient, db: SQLAlchemy, user: User) -> None:
    add_app(client)
    assert client.get(f"{CODES_PAGE}/download").status_code == 404
    client.post(CODES_PAGE)
    made_at = utc_now() - timedelta(minutes=10)
    db.session.execute(update(Flow).values(expires_at=made_at + timedelta(minutes=30)))
    db.session.commit()
    page, file = client.get(CODES_PAGE), client.get(f"{CODES_PAGE}/download")
    assert page.headers["Cache-Control"] == file.headers["Cache-Control"] == "no-store"
    assert file.headers["Content-Disposition"] == "attachment; filename=recovery-codes.txt"
    head, *codes = file.text.split("\n\n")
    made_on = f"Made on {exact_time(made_at, user.zone)}. Each works once"
    assert all(words in head for words in ("Flask-Base", "http://localhost", user.email, made_on))
    assert codes[0].split() == shown_codes(page.text)
    client.post(CODES_PAGE, data=saying_saved(page.text))
    assert client.get(f"{CODES_PAGE}/download").status_code == 404


def test_codes_that_nobody_saw_are_never_saved(client: FlaskClient, user: User) -> None:
    add_app(client)
    client.post(CODES_PAGE)
    in_first_tab = client.get(CODES_PAGE).text
    client.post(CODES_PAGE)
    assert "made anew already" in client.post(CODES_PAGE, data=saying_saved(in_first_tab), follow_redirects=True).text
    assert RecoveryCode.left(user) == 0
    in_second_tab = client.get(CODES_PAGE).text
    for _ in range(3):  # a finger that trembles
        client.post(CODES_PAGE, data=saying_saved(in_second_tab))
    assert RecoveryCode.left(user) == 10
    other = client.application.test_client()
    first_step(other, user)
    assert second_step(other, shown_codes(in_second_tab)[0]).location == "/"


def test_without_a_factor_there_are_no_recovery_codes(client: FlaskClient, user: User) -> None:
    assert client.post(CODES_PAGE).location == SECURITY
    assert client.get(CODES_PAGE).location == SECURITY


def test_a_passkey_alone_is_a_second_factor_once_recovery_codes_are_saved(
    client: FlaskClient, user: User, db: SQLAlchemy
) -> None:
    db.session.add(Passkey(user_id=user.id, credential_id=b"1", user_handle=b"1", public_key=b"-", name="A key"))
    db.session.commit()
    assert "One step is left" in client.get(SECURITY).text
    codes = save_codes(client)
    assert second_factors(user) == {"passkey", "recovery_code"}
    client.post("/account/logout")
    first_step(client, user)
    assert "authenticator app" not in client.get(SECOND_STEP).text
    assert second_step(client, codes[0]).location == "/"


def test_the_last_factor_takes_the_recovery_codes_with_it(client: FlaskClient, user: User, db: SQLAlchemy) -> None:
    turn_on(client, user)
    assert client.post(f"{APP_PAGE}/remove").location == SECURITY
    assert not db.session.scalars(select(RecoveryCode)).all()
    assert not session_of(user).has_two_factors
    assert events(db)[-1] == "second_factor.removed"
    assert mailed_kinds()[-1] == "second_factor_changed"
    client.post(f"{APP_PAGE}/remove")
    assert mailed_kinds().count("second_factor_changed") == 3, "a second click does nothing"


def test_a_half_login_ends_after_five_tries_and_the_owner_is_told(
    app: Flask, client: FlaskClient, user: User, db: SQLAlchemy
) -> None:
    secret, _codes = turn_on(client, user)
    other = app.test_client()
    first_step(other, user)
    answers = [second_step(other, WRONG).text for _ in range(5)]
    assert ["Log in again" in text for text in answers] == [False, False, False, False, True]
    assert "Log in again" in second_step(other, code_of(secret)).text
    assert not is_in(other)
    assert mailed_kinds()[-1] == "wrong_second_factors"
    assert events(db).count("second_factor.wrong") == 5


@pytest.mark.usefixtures("limits")
def test_guesses_are_limited_over_all_begun_logins_of_a_user(app: Flask, client: FlaskClient, user: User) -> None:
    secret, codes = turn_on(client, user)
    for number in range(6):
        other = app.test_client()
        first_step(other, user)
        answer = second_step(other, WRONG)
        assert answer.status_code == (200 if number < 5 else 429)
    assert "Retry-After" in answer.headers
    for right in (code_of(secret), codes[0]):
        assert second_step(other, right).status_code == 429
    assert not is_in(other)


@pytest.mark.usefixtures("limits")
def test_guesses_are_limited_per_network_too(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    statuses = []
    for _ in range(3):
        user = make_user()
        own, other = browser_of(app, user), app.test_client()
        turn_on(own, user)
        first_step(other, user)
        statuses += [second_step(other, WRONG).status_code for _ in range(4)]
    assert statuses == [200] * 10 + [429] * 2


def test_without_its_key_an_app_is_no_way_in_and_recovery_codes_are(
    app: Flask, client: FlaskClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, codes = turn_on(client, user)
    monkeypatch.setitem(app.config, "DATA_KEYS", ["another key than before" * 2])
    other = app.test_client()
    first_step(other, user)
    assert "wrong" in second_step(other, code_of(secret)).text
    assert second_step(other, codes[0]).location == "/"


def test_a_reset_password_logs_nobody_in_past_the_second_factor(app: Flask, client: FlaskClient, user: User) -> None:
    turn_on(client, user)
    other = app.test_client()
    other.post("/account/reset-password", data={"email": user.email})
    new = "nanosecond wire in hand"
    other.get(mailed_link("reset_password"))
    other.post("/account/reset-password/form", data={"new_password": new, "new_password2": new})
    assert not is_in(other)
    assert sign_in(other, user, new).location == SECOND_STEP


def test_a_copy_of_ones_data_says_what_is_set_up_and_no_secret(client: FlaskClient, user: User, db: SQLAlchemy) -> None:
    secret, codes = turn_on(client, user)
    export = DataExport(user=user)
    db.session.add(export)
    export.write()
    db.session.commit()
    content = json.loads(export.content or "")
    assert content["authenticator_app"]["created_at"]
    assert len(content["recovery_codes"]) == 10
    app = AuthenticatorApp.of(user)
    assert app is not None
    assert not [text for text in (totp.as_text(secret), app.encrypted_secret, *codes) if text in str(export.content)]
