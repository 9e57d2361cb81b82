"""Tests for the list of users, the page of one user, and adding users."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from app import email
from app.kit.db.database import utc_now
from app.models import AuditEvent, Email, FactorRemoval, Role, User, UserSession
from tests.factories import PASSWORD, make_admin, make_invited, make_user, sign_in
from tests.queries import recorded_queries

STRONG = "seven-purple-umbrellas-dance"


def person(role_name: str = "User", **fields: object) -> dict[str, object]:
    """Return the form data for a new user."""
    known = {"first_name": "Mary", "last_name": "Somerville", "email": "mary@example.org"}
    return {**known, "role": Role.with_name(role_name).id, **fields}


def make_login_old(db: SQLAlchemy) -> None:
    """Act as if everybody last gave the password an hour ago."""
    for session in db.session.scalars(select(UserSession)):
        session.reauthenticated_at = utc_now() - timedelta(hours=1)
    db.session.commit()


def events() -> set[str]:
    """Return the kinds of the events in the audit log."""
    return {event.event for event in AuditEvent.query}


def test_the_list_searches_filters_and_sorts(client: FlaskClient, admin: User) -> None:
    make_user(first_name="Zoe", email="zoe@example.org")
    make_user(first_name="Yan", confirmed=False, email="yan@example.org")
    everybody, found = client.get("/admin/users").text, client.get("/admin/users?search=zoe").text
    assert "zoe@example.org" in everybody
    assert "All 3 of this list" in everybody
    assert "zoe@example.org" in found
    assert "The whole list" in found, "not “All 1”"
    assert "yan@example.org" not in found
    unconfirmed = client.get("/admin/users?state=unconfirmed").text
    assert "yan@example.org" in unconfirmed
    assert "zoe@example.org" not in unconfirmed
    administrators = client.get(f"/admin/users?role={admin.role_id}").text
    assert admin.email in administrators
    assert "yan@example.org" not in administrators
    assert "Nobody found" in client.get("/admin/users?search=nobody").text


def test_the_list_costs_the_same_however_many_there_are(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    with recorded_queries(db.engine) as few:
        client.get("/admin/users")
    for _ in range(10):
        make_user()
    with recorded_queries(db.engine) as many:
        client.get("/admin/users")
    assert len(many) == len(few)


def test_the_list_shows_who_was_seen_and_how_they_log_in(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    make_invited(first_name="Yan")
    user = make_user(first_name="Zoe")
    for hours in (3, 50):
        seen_at = utc_now() - timedelta(hours=hours)
        db.session.add(UserSession(user_id=user.id, token_hash=str(hours), last_seen_at=seen_at))
    db.session.commit()
    page = client.get("/admin/users?sort=name").text
    shown = re.findall(r'data-label="(?:Logs in with|Last seen)"[^>]*>(?:<time[^>]*>)?([^<]*)<', page)
    assert shown == ["Password", "just now", "–", "–", "Password", "3 hours ago"]


def test_the_list_names_what_narrows_it_and_how_to_show_more(client: FlaskClient, admin: User) -> None:
    page = client.get(f"/admin/users?search=root&role={admin.role_id}&state=bogus").text
    chips = dict(re.findall(r'<a class="chips__one" href="([^"]*)">([^<]*)<', page))
    assert chips == {
        f"/admin/users?sort=name&amp;direction=asc&amp;role={admin.role_id}": "Search: root",
        "/admin/users?search=root&amp;sort=name&amp;direction=asc": "Account type: Administrator",
    }
    assert "chips" not in client.get("/admin/users").text


def test_a_user_page_shows_the_latest_emails(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    user = make_user(confirmed=False)
    email.confirm.send(user)
    db.session.commit()
    page = client.get(f"/admin/user/{user.id}").text
    assert "Confirm your account" in page
    assert f"/admin/emails?search={user.email}" in page


def test_a_user_page_shows_state_sessions_and_events(client: FlaskClient, admin: User) -> None:
    user = make_user(first_name="Zoe")
    sign_in(client.application.test_client(), user)
    client.post(f"/admin/user/{user.id}/disable", data={"reason": "spam"})
    client.post(f"/admin/user/{user.id}/enable")
    sign_in(client.application.test_client(), user)
    page = client.get(f"/admin/user/{user.id}").text
    assert "Zoe" in client.get(f"/admin/user/{user.id}/info").text
    assert "disabled <a" in page
    assert "Log out everywhere" in page
    assert "127.0.0.1" in page
    assert 'class="avatar' in page.partition("<main")[2]


@pytest.mark.parametrize("is_oneself", [False, True])
def test_a_user_page_costs_few_queries_whatever_belongs_to_the_user(
    client: FlaskClient, admin: User, db: SQLAlchemy, is_oneself: bool
) -> None:
    user = admin if is_oneself else make_user()
    asked = {"requested_by_id": make_admin().id, "reason": "A lost phone.", "due_at": utc_now() + timedelta(days=1)}
    db.session.add(FactorRemoval(user_id=user.id, **asked))
    for hours in range(1, 9):
        seen_at = utc_now() - timedelta(hours=hours)
        db.session.add(UserSession(user_id=user.id, token_hash=str(hours), last_seen_at=seen_at))
        AuditEvent.record("user.logged_in", subject=user)
    db.session.commit()
    path = f"/admin/user/{user.id}"
    with recorded_queries(db.engine) as queries:
        page = client.get(path).text
    assert "A lost phone." in page
    assert "8 hours ago" in page
    assert len(queries) <= 6


def test_a_name_is_shown_as_text(client: FlaskClient, admin: User) -> None:
    user = make_user(first_name="<script>alert(1)</script>")
    for path in ("/admin/", "/admin/users", f"/admin/user/{user.id}", f"/admin/user/{user.id}/delete"):
        assert "<script>alert" not in client.get(path).text


@pytest.mark.parametrize("number", ["999999", "2147483648", "9" * 20, "9" * 5000, "0", "-1", "x"])
def test_nobody_has_that_number(client: FlaskClient, admin: User, number: str) -> None:
    assert client.get(f"/admin/user/{number}").status_code == 404


def test_a_new_user_can_log_in_at_once(client: FlaskClient, admin: User) -> None:
    answer = client.post("/admin/new-user", data=person(password=STRONG, password2=STRONG))
    user = User.with_email("mary@example.org")
    assert answer.location == f"/admin/user/{user.id}"
    sign_in(client.application.test_client(), user, STRONG)
    assert "user.created" in events()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"password": "short", "password2": "short"}, "at least"),
        ({"password": STRONG, "password2": STRONG + "x"}, "The passwords differ"),
        ({"password": STRONG, "password2": STRONG, "email": "no address"}, "not an email address"),
        ({"password": STRONG, "password2": STRONG, "first_name": "http://example.org"}, "leave out links"),
        ({"password": STRONG, "password2": STRONG, "role": 999999}, "Not a valid choice"),
        ({"password": STRONG, "password2": STRONG, "role": "9" * 30}, "Not a valid choice"),
    ],
)
def test_a_new_user_is_refused_and_what_was_typed_stays(
    client: FlaskClient, admin: User, fields: dict[str, object], problem: str
) -> None:
    page = client.post("/admin/new-user", data=person(**fields)).text
    assert problem in page
    assert "Somerville" in page
    assert User.with_email("mary@example.org") is None


def test_fields_that_the_form_does_not_have_are_ignored(client: FlaskClient, admin: User) -> None:
    extra = {"role_id": admin.role_id, "confirmed": "y", "disabled_at": "2020-01-01", "id": "77"}
    client.post("/admin/invite-user", data=person(**extra))
    user = User.with_email("mary@example.org")
    assert user.role.name == "User"
    assert not user.confirmed
    assert user.id != 77


def test_an_invitation_is_sent_to_who_has_no_password_yet(client: FlaskClient, admin: User) -> None:
    client.post("/admin/invite-user", data=person("Administrator"))
    user = User.with_email("mary@example.org")
    assert user.is_invited
    assert user.role.name == "Administrator"
    assert [(mail.kind, mail.recipient) for mail in Email.query] == [("invite", "mary@example.org")]
    assert "user.invited" in events()


@pytest.mark.parametrize("path", ["/admin/invite-user", "/admin/new-user"])
def test_browsers_do_not_offer_administrators_their_own_name_for_somebody_else(
    client: FlaskClient, admin: User, path: str
) -> None:
    page = client.get(path).text
    assert page.count('autocomplete="off"') == 3
    assert 'autocomplete="email"' not in page


@pytest.mark.parametrize("path", ["/admin/invite-user", "/admin/new-user"])
def test_an_address_belongs_to_one_person_whatever_its_case(client: FlaskClient, admin: User, path: str) -> None:
    make_user(email="mary@example.org")
    answer = client.post(path, data=person(email="Mary@Example.org", password=STRONG, password2=STRONG))
    assert "Somebody has this address already." in answer.text
    assert Email.query.count() == 0


def test_an_address_that_another_request_took_meanwhile(
    client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(email="mary@example.org")
    monkeypatch.setattr(User, "with_email", classmethod(lambda cls, email: None))
    answer = client.post("/admin/invite-user", data=person())
    assert answer.status_code == 200
    assert "Somebody has this address already." in answer.text


def test_an_invitation_is_sent_again_only_while_it_is_open(client: FlaskClient, admin: User) -> None:
    invited, joined = make_invited(), make_user()
    client.post(f"/admin/user/{invited.id}/resend-invitation")
    client.post(f"/admin/user/{joined.id}/resend-invitation")
    assert [mail.recipient for mail in Email.query] == [invited.email]
    assert "has joined already" in client.get("/admin/").text


@pytest.mark.parametrize(
    "path", ["new-user", "invite-user", "user/{id}/change-email", "user/{id}/change-account-type", "user/{id}/delete"]
)
def test_what_matters_asks_for_the_password_again(client: FlaskClient, admin: User, db: SQLAlchemy, path: str) -> None:
    user = make_user()
    make_login_old(db)
    answer = client.get(f"/admin/{path.format(id=user.id)}")
    assert answer.location.startswith("/account/confirm-password?next=")
    client.post(answer.location, data={"password": PASSWORD})
    assert client.get(f"/admin/{path.format(id=user.id)}").status_code == 200


def test_users_are_sorted_as_their_names_are_shown(client: FlaskClient, admin: User) -> None:
    for first_name, last_name in (("Bea", "Ash"), ("Ada", "Wren"), ("Ada", "Crane")):
        make_user(first_name=first_name, last_name=last_name)
    shown = re.findall(r'class="name"[^>]*>([^<]+)</a>', client.get("/admin/users?sort=name").text)
    assert shown == ["Ada Crane", "Ada Wren", "Bea Ash", "Root Keeper"]


def test_adding_a_user_shows_how_strong_the_password_is(client: FlaskClient, admin: User) -> None:
    assert 'data-password-meter="password"' in client.get("/admin/new-user").text


@pytest.mark.parametrize("page", ["change-name", "change-email", "change-account-type", "disable"])
def test_a_form_about_a_user_can_be_left(client: FlaskClient, admin: User, page: str) -> None:
    user = make_user()
    text = client.get(f"/admin/user/{user.id}/{page}").text
    assert f'<a class="button" href="/admin/user/{user.id}">Cancel</a>' in text
    assert ('class="button button--danger" name="submit"' in text) is (page == "disable")


def test_an_invited_user_has_not_joined(client: FlaskClient, admin: User) -> None:
    user = make_invited()
    details = client.get(f"/admin/user/{user.id}").text
    assert "<dt>Invited</dt>" in details
    assert "<dt>Joined</dt>" not in details
    for path in ("/admin/users", "/admin/"):
        assert re.search(r"Invited <time[^>]*>just now", client.get(path).text)
