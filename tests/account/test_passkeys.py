"""Passkeys on the server: adding, logging in, the second step, sudo, removing; and every lie about them."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import delete, func, select, update
from werkzeug.test import TestResponse

from app.jobs import purge_sessions
from app.kit.auth import webauthn
from app.kit.auth.webauthn import encode
from app.kit.db.database import utc_now
from app.models import AuditEvent, Email, Flow, Passkey, User, UserSession, Way, has_other_way_in
from tests.authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator
from tests.factories import browser_of, let_in, make_user, sign_in
from tests.queries import recorded_queries
from tests.test_routes import rows
from tests.test_sign_in import set_up
from tests.together import together

LOGIN, SECOND_STEP, SUDO, NEW = (
    "/account/login/passkey",
    "/account/second-factor/passkey",
    "/account/confirm-password/passkey",
    "/account/passkeys/new",
)
SECURITY = "/account/manage/security"
REFUSED, NOT_ADDED = "This passkey did not work.", "This passkey could not be added."
NAME = {"name": "My laptop"}


def ask(client: FlaskClient, path: str) -> dict[str, Any]:
    response = client.post(path, data=NAME)
    assert response.is_json, response.text
    return dict(response.json or {})


def answer(client: FlaskClient, path: str, text: str, **fields: str) -> TestResponse:
    return client.post(path, data={"credential": text, **NAME, **fields})


def add_to(app: Flask, user: User) -> Authenticator:
    """Add a passkey through the form."""
    client, authenticator = browser_of(app, user), Authenticator()
    response = answer(client, NEW, authenticator.create(ask(client, NEW)))
    assert response.location in {SECURITY, "/account/manage/recovery-codes"}, response.text
    return authenticator


def log_in(client: FlaskClient, authenticator: Authenticator, path: str = LOGIN, **lies: Any) -> TestResponse:
    return answer(client, path, authenticator.sign(ask(client, path), **lies))


def sessions(db: SQLAlchemy, user: User) -> list[UserSession]:
    db.session.rollback()
    rows = db.session.scalars(
        select(UserSession).where(UserSession.user_id == user.id, UserSession.user_agent != "a browser")
    )
    return list(rows)


def is_refused(client: FlaskClient, response: TestResponse, page: str = "/account/login") -> bool:
    return response.location == page and REFUSED in client.get(page).text


def test_a_passkey_is_added_and_logs_in_as_two_factors(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    options = ask(client, "/account/login/passkey?next=/account/sessions")
    assert (options["allowCredentials"], options["userVerification"]) == ([], "required")
    text = authenticator.sign(options, flags=PRESENT | VERIFIED | ELIGIBLE | BACKED_UP)
    response = answer(client, "/account/login/passkey?next=/account/sessions", text, remember_me="y")
    assert response.location == "/account/sessions"
    [row] = sessions(db, user)
    assert (row.ways, row.has_two_factors, row.remembered) == ("passkey", True, True)
    [passkey] = Passkey.of(user)
    assert (passkey.name, passkey.sign_count, passkey.backed_up) == ("My laptop", 1, True)
    assert passkey.last_used_at is not None
    page = browser_of(app, user).get(SECURITY).text
    assert "My laptop" in page
    assert "Synced" in page


@pytest.mark.usefixtures("limits")
def test_a_network_gets_few_challenges_and_expired_ones_are_purged(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each login page that is opened asks for one, also without cookies."""
    monkeypatch.setitem(app.config, "FORM_LIMIT", "3/minute")
    assert [app.test_client().post(LOGIN).status_code for _ in range(5)] == [200] * 3 + [429] * 2
    assert flows(db) == 3
    db.session.execute(update(Flow).values(expires_at=utc_now()))
    db.session.commit()
    purge_sessions()
    assert flows(db) == 0


def flows(db: SQLAlchemy) -> int:
    return db.session.scalar(select(func.count()).select_from(Flow)) or 0


def test_all_passkeys_of_a_user_have_one_random_handle_and_a_device_makes_no_second_one(
    app: Flask, db: SQLAlchemy
) -> None:
    user = make_user()
    first = add_to(app, user)
    options = ask(browser_of(app, user), NEW)
    assert options["user"] == {"id": encode(first.handle), "name": user.email, "displayName": user.full_name()}
    assert [row["id"] for row in options["excludeCredentials"]] == [encode(first.credential_id)]
    assert len(first.handle) == 64
    assert add_to(app, user).handle == first.handle
    assert add_to(app, make_user()).handle != first.handle


def test_first_passkeys_that_are_made_at_once_do_not_get_two_handles(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    client, one, other = browser_of(app, user), Authenticator(), Authenticator()
    texts = [one.create(ask(client, NEW)), other.create(ask(client, NEW))]
    assert [answer(client, NEW, text).location for text in texts] == [SECURITY, None]
    assert len(Passkey.of(user)) == 1


def test_adding_and_removing_are_mailed_and_in_the_audit_log(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    add_to(app, user)
    [passkey] = Passkey.of(user)
    browser_of(app, user).post(f"/account/passkeys/{passkey.id}/remove")
    assert Passkey.of(user) == []
    changes = [email.context["what"] for email in db.session.scalars(select(Email).order_by(Email.id))]
    assert changes == ["The passkey “My laptop” was added.", "The passkey “My laptop” was removed."]
    assert db.session.scalars(select(AuditEvent.event).order_by(AuditEvent.id)).all() == [
        "second_factor.added",
        "second_factor.removed",
    ]


LIES: dict[str, dict[str, Any]] = {
    "nobody was checked": {"flags": PRESENT},
    "another challenge": {"challenge": encode(b"0123456789abcdef")},
    "another origin": {"origin": "https://evil.example"},
    "another site": {"host": "evil.example"},
    "another signature": {"signature": b"0"},
    "an unknown passkey": {"credential_id": b"unknown"},
    "another user's handle": {"handle": bytes(64)},
    "no handle": {"handle": None},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_every_lie_is_refused_alike_and_uses_the_challenge_up(
    app: Flask, client: FlaskClient, db: SQLAlchemy, lie: dict[str, Any]
) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    options = ask(client, LOGIN)
    assert is_refused(client, answer(client, LOGIN, authenticator.sign(options, **lie)))
    assert sessions(db, user) == []
    if lie.keys() != {"challenge"}:
        assert is_refused(client, answer(client, LOGIN, authenticator.sign(options)))
    assert log_in(client, authenticator).location == "/"


def test_who_may_not_log_in_is_refused_alike(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    user.disable("spam")
    db.session.commit()
    assert is_refused(client, log_in(client, authenticator))
    assert sessions(db, user) == []


@pytest.mark.parametrize("garbage", ["[]", "null", "7", "[" * 9000, '{"response": {"clientDataJSON": 10000000000000}}'])
def test_garbage_is_refused_alike(app: Flask, client: FlaskClient, db: SQLAlchemy, garbage: str) -> None:
    ask(client, LOGIN)
    assert is_refused(client, answer(client, LOGIN, garbage))
    owner = browser_of(app, make_user())
    assert NOT_ADDED in answer(owner, NEW, garbage).text
    assert is_refused(owner, answer(owner, SUDO, garbage), "/account/confirm-password")


@pytest.mark.usefixtures("error_pages")
def test_of_twenty_posts_of_one_answer_one_logs_in(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    text = authenticator.sign(ask(client, LOGIN))
    cookie = client.get_cookie("session")
    assert cookie is not None

    def post() -> TestResponse:
        browser = app.test_client()
        browser.set_cookie("session", cookie.value)
        return answer(browser, LOGIN, text)

    db.session.commit()
    responses = together([post] * 20)
    assert sorted(response.location or "" for response in responses) == ["/"] + ["/account/login"] * 19
    assert len(sessions(db, user)) == 1
    assert is_refused(client, answer(client, LOGIN, text))


def test_a_challenge_is_of_one_browser_one_use_and_five_minutes(
    app: Flask, client: FlaskClient, db: SQLAlchemy
) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    text = authenticator.sign(ask(app.test_client(), LOGIN))
    assert is_refused(client, answer(client, LOGIN, text))
    # What was signed to confirm does not log in.
    text = authenticator.sign(ask(browser_of(app, user), SUDO))
    assert is_refused(client, answer(client, LOGIN, text))
    text = authenticator.sign(ask(client, LOGIN))
    db.session.execute(update(Flow).values(expires_at=utc_now() - timedelta(seconds=1)))
    db.session.commit()
    assert is_refused(client, answer(client, LOGIN, text))
    owner = browser_of(app, user)
    forged = authenticator.sign(ask(owner, NEW) | {"rpId": "localhost"})
    assert is_refused(owner, answer(owner, SUDO, forged), "/account/confirm-password")
    assert sessions(db, user) == []


def test_a_falling_count_is_audited(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    for count, copies in ((0, 0), (7, 0), (8, 0), (8, 1), (3, 2), (4, 2), (0, 3)):
        browser = app.test_client()
        assert log_in(browser, authenticator, count=count).location == "/"
        event = AuditEvent.event == "passkey.counted_backwards"
        assert db.session.scalar(select(func.count()).select_from(AuditEvent).where(event)) == copies, count


def test_a_passkey_that_somebody_has_is_not_added_again(app: Flask, db: SQLAlchemy) -> None:
    authenticator, other = add_to(app, make_user()), make_user()
    client = browser_of(app, other)
    text = authenticator.create(ask(client, NEW))
    assert NOT_ADDED in answer(client, NEW, text).text
    assert Passkey.of(other) == []


def test_an_answer_for_one_user_adds_no_passkey_to_another(app: Flask, db: SQLAlchemy) -> None:
    """Two users share a browser: what the first one began is not finished by the second one."""
    ada, eve = make_user(), make_user()
    client, authenticator = browser_of(app, ada), Authenticator()
    text = authenticator.create(ask(client, NEW))
    let_in(client, eve)
    assert NOT_ADDED in answer(client, NEW, text).text
    assert (Passkey.of(ada), Passkey.of(eve)) == ([], [])


def test_a_copy_of_the_database_answers_no_challenge(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    challenge = ask(client, LOGIN)["challenge"]
    dump = str(rows(db))
    assert str(authenticator.credential_id) in dump
    assert challenge not in dump
    assert str(webauthn.decode(challenge)) not in dump


def second_step(app: Flask, db: SQLAlchemy, user: User) -> FlaskClient:
    """Return a browser in which the password of ``user`` was right."""
    client = app.test_client()
    set_up(db, user, Way.RECOVERY_CODE)
    assert sign_in(client, user).location == "/account/second-factor"
    return client


def test_the_second_step_takes_a_passkey_of_the_same_user(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    authenticator, others = add_to(app, user), add_to(app, make_user())
    client = second_step(app, db, user)
    assert "Use a passkey" in client.get("/account/second-factor").text
    assert [row["id"] for row in ask(client, SECOND_STEP)["allowCredentials"]] == [encode(authenticator.credential_id)]
    assert is_refused(client, log_in(client, others, SECOND_STEP), "/account/second-factor")
    assert log_in(client, authenticator, SECOND_STEP, handle=None).location == "/"
    [row] = sessions(db, user)
    assert (row.ways, row.has_two_factors) == ("password,passkey", True)


def test_a_login_that_waits_ends_after_five_wrong_passkeys(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    authenticator, others = add_to(app, user), add_to(app, make_user())
    client = second_step(app, db, user)
    for _ in range(5):
        assert log_in(client, others, SECOND_STEP).location == "/account/second-factor"
    assert client.post(SECOND_STEP).location == "/account/second-factor"
    assert "Log in again" in client.get("/account/second-factor").text
    assert sessions(db, user) == []
    assert log_in(app.test_client(), authenticator).location == "/"


def test_without_a_login_that_waits_there_is_no_second_step(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    assert client.post(SECOND_STEP).location == "/account/second-factor"


def make_old(db: SQLAlchemy) -> None:
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(hours=1)))
    db.session.commit()


def test_sudo_takes_a_passkey_of_the_same_user_only(app: Flask, db: SQLAlchemy) -> None:
    """Flask-Security took anybody's login here (GHSA-97r5-pg8x-p63p)."""
    user = make_user()
    authenticator, others, client = add_to(app, user), add_to(app, make_user()), browser_of(app, user)
    make_old(db)
    page = "/account/confirm-password?next=/account/passkeys/new"
    assert client.get(NEW).location == page
    assert "Use a passkey" in client.get(page).text
    assert is_refused(client, log_in(client, others, SUDO), "/account/confirm-password")
    assert client.get(NEW).location == page
    assert log_in(client, authenticator, f"{SUDO}?next=/account/passkeys/new").location == NEW
    own = db.session.scalars(select(UserSession).where(UserSession.has_two_factors)).one()
    assert own.ways == "password,passkey"
    assert client.get(NEW).status_code == 200


def test_who_has_no_password_confirms_with_a_passkey(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    authenticator, others = add_to(app, user), add_to(app, make_user())
    user.password_hash = None
    db.session.commit()
    client = app.test_client()
    log_in(client, authenticator)
    make_old(db)
    page = client.get("/account/confirm-password").text
    assert ("Use a passkey" in page, 'name="password"' in page) == (True, False)
    assert is_refused(client, log_in(client, others, SUDO), "/account/confirm-password")
    assert log_in(client, authenticator, SUDO).location == "/account/manage/info"
    monkeypatch.setitem(app.config, "PASSKEYS", False)
    assert "Email me a code" in client.get("/account/confirm-password").text


def test_adding_and_removing_ask_for_the_password_again(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    add_to(app, user)
    [passkey] = Passkey.of(user)
    client = browser_of(app, user)
    make_old(db)
    for path in (NEW, f"/account/passkeys/{passkey.id}/remove"):
        assert client.post(path, data=NAME).location.startswith("/account/confirm-password")
    assert len(Passkey.of(user)) == 1


def test_where_a_second_factor_is_demanded_a_passkey_can_be_it(
    app: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    monkeypatch.setitem(app.config, "SECOND_FACTOR_REQUIRED", "all")
    newcomer = browser_of(app, user)
    assert newcomer.get("/account/manage").location == SECURITY
    assert "/account/passkeys/new" in newcomer.get(SECURITY).text
    assert log_in(client, add_to(app, user)).location == "/"
    assert client.get("/account/manage").status_code == 200


def test_the_last_way_in_cannot_be_removed(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    add_to(app, user)
    add_to(app, user)
    user.password_hash = None
    db.session.commit()
    first, second = Passkey.of(user)
    client = browser_of(app, user)
    for passkey in (first, second):
        response = client.post(f"/account/passkeys/{passkey.id}/remove", follow_redirects=True)
    assert "This is your only way to log in." in response.text
    assert Passkey.of(user) == [second]
    user.password = "another way to log in"
    db.session.commit()
    browser_of(app, user).post(f"/account/passkeys/{second.id}/remove")
    assert Passkey.of(user) == []


def test_of_two_who_remove_the_last_two_passkeys_one_does(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    for _ in range(2):
        add_to(app, user)
    user.password_hash = None
    db.session.commit()
    requests: list[Callable[[], TestResponse]] = []
    for passkey in Passkey.of(user):
        client, path = browser_of(app, user), f"/account/passkeys/{passkey.id}/remove"
        requests.append(lambda client=client, path=path: client.post(path))
    db.session.commit()
    together(requests)
    db.session.rollback()
    assert len(Passkey.of(user)) == 1


def test_what_counts_as_another_way_in(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    assert not has_other_way_in(user, without=Way.PASSWORD)
    set_up(db, user, Way.PASSKEY, Way.RECOVERY_CODE, Way.APP)
    [passkey] = Passkey.of(user)
    assert has_other_way_in(user, without=Way.PASSWORD)
    assert has_other_way_in(user, without=passkey)
    user.password_hash = None
    assert not has_other_way_in(user, without=passkey)
    monkeypatch.setitem(app.config, "PASSKEYS", False)
    assert not has_other_way_in(user, without=Way.PASSWORD)


def test_a_passkey_is_renamed_and_removed_by_its_owner_only(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    [passkey] = Passkey.of(user)
    owner, stranger = browser_of(app, user), browser_of(app, make_user())
    for deed in ("rename", "remove"):
        assert stranger.post(f"/account/passkeys/{passkey.id}/{deed}", data={"name": "Mine"}).status_code == 404
    assert owner.post(f"/account/passkeys/{passkey.id}/rename", data={"name": " Phone "}).location == SECURITY
    assert owner.post(f"/account/passkeys/{passkey.id}/rename", data={"name": "x" * 65}).status_code == 200
    assert [row.name for row in Passkey.of(user)] == ["Phone"]
    owner.post(f"/account/passkeys/{passkey.id}/remove")
    assert is_refused(client, log_in(client, authenticator))


def test_a_passkey_that_is_removed_meanwhile_logs_nobody_in(
    app: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    authenticator = add_to(app, user)
    check = webauthn.signed

    def check_and_remove(*arguments: Any) -> webauthn.Signed:
        db.session.execute(delete(Passkey), execution_options={"synchronize_session": False})
        return check(*arguments)

    monkeypatch.setattr(webauthn, "signed", check_and_remove)
    assert is_refused(client, log_in(client, authenticator))
    assert sessions(db, user) == []


def test_a_setting_switches_them_off(
    app: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    add_to(app, user)
    set_up(db, user, Way.RECOVERY_CODE)
    monkeypatch.setitem(app.config, "PASSKEYS", False)
    assert "passkey" not in client.get("/account/login").text
    assert client.post(LOGIN).status_code == 404
    owner = browser_of(app, user)
    assert owner.get(NEW).status_code == 404
    # Nobody is asked for what cannot be used; what was added can be removed.
    assert sign_in(client, user).location == "/"
    assert "My laptop" in owner.get(SECURITY).text


def test_wrong_answers_are_limited_per_network(app: Flask, client: FlaskClient, db: SQLAlchemy, limits: None) -> None:
    wrong = [answer(client, LOGIN, json.dumps({})).status_code for _ in range(11)]
    assert wrong == [302] * 10 + [429]


def test_the_login_page_asks_the_database_nothing_and_grows_by_less_than_600_bytes(
    app: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded_queries(db.engine) as queries:
        page = client.get("/account/login").text
    assert queries == []
    monkeypatch.setitem(app.config, "PASSKEYS", False)
    assert 0 < len(page) - len(client.get("/account/login").text) < 600
