"""Tests for changing, disabling and deleting users, and for what nobody may do."""

import re
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app import email
from app.models import AuditEvent, Email, Role, User, UserSession
from tests.factories import PASSWORD, make_admin, make_invited, make_user, sign_in


def has_event(name: str) -> bool:
    """Return whether the audit log has such an event."""
    return AuditEvent.query.filter_by(event=name).count() == 1


def test_changing_a_name(client: FlaskClient, admin: User) -> None:
    user = make_user(first_name="Ada", last_name="Wren")
    page = f"/admin/user/{user.id}/change-name"
    assert 'value="Wren"' in client.get(page).text
    refused = client.post(page, data={"first_name": "evil.example.org", "last_name": "King"}).text
    assert 'value="evil.example.org"' in refused
    assert user.full_name() == "Ada Wren"
    client.post(page, data={"first_name": "Ada", "last_name": "King"})
    assert user.full_name() == "Ada King"
    event = AuditEvent.query.filter_by(event="user.name_changed").one()
    # The event outlives the user, so it holds no name.
    assert (event.actor_id, event.subject_id, event.details) == (admin.id, user.id, {})


def test_changing_an_address_tells_both(client: FlaskClient, admin: User) -> None:
    user = make_user(email="old@example.org")
    client.post(f"/admin/user/{user.id}/change-email", data={"email": "New@example.org"})
    assert user.email == "New@example.org"
    assert sorted(mail.recipient for mail in Email.query) == ["New@example.org", "old@example.org"]
    assert has_event("email.changed")


def test_changing_an_invited_address_invites_there(client: FlaskClient, admin: User) -> None:
    user = make_invited()
    client.post(f"/admin/user/{user.id}/change-email", data={"email": "new@example.org"})
    assert [(mail.kind, mail.recipient) for mail in Email.query] == [("invite", "new@example.org")]


def test_a_taken_address_is_refused(client: FlaskClient, admin: User) -> None:
    user, other = make_user(email="mine@example.org"), make_user(email="theirs@example.org")
    answer = client.post(f"/admin/user/{user.id}/change-email", data={"email": other.email.upper()})
    assert "Somebody has this address already." in answer.text
    assert user.email == "mine@example.org"


def test_changing_the_account_type(client: FlaskClient, admin: User) -> None:
    user = make_user()
    assert "selected" in client.get(f"/admin/user/{user.id}/change-account-type").text
    client.post(f"/admin/user/{user.id}/change-account-type", data={"role": admin.role_id})
    assert user.is_admin()
    assert has_event("user.role_changed")


def test_disabling_ends_every_session_and_keeps_the_account(client: FlaskClient, admin: User) -> None:
    user, browser = make_user(), client.application.test_client()
    sign_in(browser, user)
    client.post(f"/admin/user/{user.id}/disable", data={"reason": "spam\x1b\r\nmore"})
    assert browser.get("/account/manage").status_code == 302
    assert user.is_disabled
    assert UserSession.query.filter_by(user_id=user.id).count() == 0
    assert "spam" in client.get(f"/admin/user/{user.id}").text
    assert "\n" not in user.disabled_reason
    assert "spam" in client.get("/admin/users?state=disabled").text
    assert has_event("user.disabled")
    refused = browser.post("/account/login", data={"email": user.email, "password": PASSWORD})
    assert refused.status_code == 200


def test_enabling_lets_in_again(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    user = make_user()
    user.disable("mistake")
    db.session.commit()
    client.post(f"/admin/user/{user.id}/enable")
    sign_in(client.application.test_client(), user)
    assert user.disabled_reason == ""
    assert has_event("user.enabled")


def test_ending_all_sessions_of_a_user(client: FlaskClient, admin: User) -> None:
    user, browser = make_user(), client.application.test_client()
    sign_in(browser, user)
    client.post(f"/admin/user/{user.id}/end-sessions")
    assert browser.get("/account/manage").location.startswith("/account/login")
    assert client.get("/admin/").status_code == 200, "everybody else stays"


def test_deleting_asks_first_and_leaves_a_trace_without_a_name(
    client: FlaskClient, admin: User, db: SQLAlchemy
) -> None:
    user, browser = make_user(), client.application.test_client()
    user_id = user.id
    sign_in(browser, user)
    assert "Delete for good" in client.get(f"/admin/user/{user_id}/delete").text
    assert db.session.get(User, user_id), "asking deletes nothing"
    assert client.post(f"/admin/user/{user_id}/_delete").location == "/admin/users"
    assert User.query.filter_by(id=user_id).count() == 0
    assert UserSession.query.filter_by(user_id=user_id).count() == 0
    assert browser.get("/account/manage").status_code == 302
    trace = AuditEvent.query.filter_by(event="user.deleted").one()
    assert trace.subject is None
    assert trace.actor_id == admin.id


def test_deleting_answers_only_to_post(client: FlaskClient, admin: User) -> None:
    assert client.get(f"/admin/user/{make_user().id}/_delete").status_code == 405


def test_deleting_somebody_twice(client: FlaskClient, admin: User) -> None:
    path = f"/admin/user/{make_user().id}/_delete"
    assert client.post(path).status_code == 302
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("action", ["change-account-type", "disable", "_delete"])
def test_nobody_does_it_to_oneself(client: FlaskClient, admin: User, db: SQLAlchemy, action: str) -> None:
    make_admin()
    client.post(f"/admin/user/{admin.id}/{action}", data={"role": Role.for_newcomers().id})
    assert client.get("/admin/").status_code == 200
    assert not {"user.role_changed", "user.disabled", "user.deleted"} & {event.event for event in AuditEvent.query}


@pytest.mark.parametrize("action", ["change-account-type", "disable", "_delete"])
def test_two_administrators_who_remove_each_other(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Both requests check at once whether another administrator remains; only one may be told so."""
    administrators = make_admin(), make_admin()
    browsers = [app.test_client(), app.test_client()]
    for browser, user in zip(browsers, administrators, strict=True):
        sign_in(browser, user)
    form = {"role": Role.for_newcomers().id}
    paths = [f"/admin/user/{user.id}/{action}" for user in reversed(administrators)]
    db.session.remove()
    wait_for_one_another(monkeypatch)

    answers: list[int] = []
    removals = [
        Thread(target=lambda browser, path: answers.append(browser.post(path, data=form).status_code), args=pair)
        for pair in zip(browsers, paths, strict=True)
    ]
    for removal in removals:
        removal.start()
    for removal in removals:
        removal.join()

    assert sorted(answers) == [302, 403 if action == "change-account-type" else 302]
    assert sum(user.is_admin() and not user.is_disabled for user in User.query) == 1


def wait_for_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make both requests wait until each was told that another administrator remains."""
    both_were_told, ask = Barrier(2), User.is_last_administrator

    def ask_and_wait(user: User) -> bool:
        answer = ask(user)
        # If the lock works, the other request waits for this one's commit and never reaches the barrier.
        with suppress(BrokenBarrierError):
            both_were_told.wait(timeout=0.4)
        return answer

    monkeypatch.setattr(User, "is_last_administrator", ask_and_wait)


def test_an_invited_administrator_does_not_count(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    invited = make_invited()
    invited.role = admin.role
    db.session.commit()
    assert admin.is_last_administrator()


def test_a_forced_reset_ends_sessions_and_the_old_password(client: FlaskClient, admin: User, app: Flask) -> None:
    user, browser = make_user(), app.test_client()
    sign_in(browser, user)
    old_link = user.generate_password_reset_token()
    client.post(f"/admin/user/{user.id}/force-password-reset")
    assert browser.get("/account/manage").location.startswith("/account/login")
    assert browser.post("/account/login", data={"email": user.email, "password": PASSWORD}).status_code == 200
    assert User.with_token("reset_password", old_link) is None
    mail = Email.query.one()
    assert (mail.kind, mail.recipient, mail.context) == ("reset_password", user.email, {"forced": True})
    assert has_event("password.reset_forced")
    rendered = email.catalog.emails["reset_password"].compose(mail)
    assert rendered
    for body in (rendered.text, rendered.html):
        assert "An administrator of" in body
        assert "nothing changes" not in body
    link = re.search(r"/account/reset-password/[\w.~-]+", rendered.text).group()
    browser.get(link)
    new = {"new_password": "seven-violet-otters-hum", "new_password2": "seven-violet-otters-hum"}
    browser.post("/account/reset-password/form", data=new)
    sign_in(browser, user, "seven-violet-otters-hum")


def test_a_reset_is_forced_on_nobody_who_would_get_no_link(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    invited, disabled = make_invited(), make_user()
    disabled.disable("spam")
    db.session.commit()
    for user in (invited, disabled, admin):
        before = user.password_hash
        client.post(f"/admin/user/{user.id}/force-password-reset")
        assert user.password_hash == before
    assert "Change your own password" in client.get("/admin/").text
    assert Email.query.count() == 0


def test_a_confirmation_is_sent_again_only_while_it_is_needed(client: FlaskClient, admin: User) -> None:
    waiting, done = make_user(confirmed=False), make_user()
    assert "Send the confirmation again" in client.get(f"/admin/user/{waiting.id}").text
    for user in (waiting, done, make_invited()):
        client.post(f"/admin/user/{user.id}/resend-confirmation")
    assert [(mail.kind, mail.recipient) for mail in Email.query] == [("confirm", waiting.email)]
    assert has_event("user.confirmation_sent_again")
