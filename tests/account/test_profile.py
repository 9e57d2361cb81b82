"""Editing one's own profile, and what follows from it."""

import json
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app.email import catalog, new_device
from app.models import AuditEvent, DataExport, Email, User
from app.models.user_profile import ABOUT_MAX_LENGTH
from tests.factories import let_in, make_user

PAGE = "/account/manage/profile"
TYPED = {
    "first_name": "Ada",
    "last_name": "King",
    "nickname": "Countess",
    "time_zone": "Europe/Berlin",
    "about": "I write <programs>.\r\nSometimes.",
}


@pytest.fixture
def user(client: FlaskClient) -> User:
    """Return the user of the client's browser."""
    user = make_user()
    let_in(client, user)
    return user


def test_a_profile_is_saved_and_shown(client: FlaskClient, user: User, db: SQLAlchemy) -> None:
    page = client.post(PAGE, data=TYPED, follow_redirects=True).text
    assert "Your profile is saved." in page
    assert user.full_name() == "Ada King"
    assert (user.public_name, user.time_zone, user.about) == (
        "Countess",
        "Europe/Berlin",
        "I write <programs>.\nSometimes.",
    )
    assert '<option value="Europe/Berlin" selected>Berlin</option>' in page
    assert "I write &lt;programs&gt;." in page
    assert '<text x="32" y="32">C</text>' in page


def test_only_a_change_is_an_event_and_it_holds_no_text(client: FlaskClient, user: User, db: SQLAlchemy) -> None:
    for _ in range(2):
        client.post(PAGE, data=TYPED)
    [event] = db.session.scalars(db.select(AuditEvent).where(AuditEvent.event == "user.profile_changed"))
    assert (event.actor_id, event.subject_id, event.details) == (user.id, user.id, {})


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("first_name", " "),
        ("last_name", "W" * 65),
        ("nickname", "evil.example.org"),
        ("nickname", "Ada\u202e"),
        ("time_zone", "Mars/Olympus_Mons"),
        ("time_zone", "../../etc/passwd"),
        ("about", "a" * (ABOUT_MAX_LENGTH + 1)),
    ],
)
def test_what_cannot_be_saved_is_told_and_nothing_typed_is_lost(
    client: FlaskClient, user: User, field: str, text: str
) -> None:
    response = client.post(PAGE, data={**TYPED, field: text})
    assert response.status_code == 200
    assert f'id="{field}-error"' in response.text
    assert 'value="King"' in response.text or field == "last_name"
    assert "I write &lt;programs&gt;." in response.text or field == "about"
    assert user.nickname == ""


def test_a_line_break_counts_once(client: FlaskClient, user: User) -> None:
    client.post(PAGE, data={**TYPED, "about": "a" + "\r\n" * (ABOUT_MAX_LENGTH - 2) + "b"})
    assert len(user.about) == ABOUT_MAX_LENGTH


def test_nobody_has_to_say_more_than_a_name(client: FlaskClient, user: User) -> None:
    client.post(PAGE, data={"first_name": "Ada", "last_name": "King", "time_zone": ""})
    assert (user.public_name, user.time_zone, user.about) == ("Ada King", "", "")


def test_pages_and_emails_show_times_in_the_readers_zone(client: FlaskClient, user: User, db: SQLAlchemy) -> None:
    user.created_at = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    new_device.send(user, ip_address="203.0.113.7", browser="Firefox on Linux")
    db.session.flush()
    row = db.session.scalars(db.select(Email)).one()
    row.created_at = user.created_at
    db.session.commit()
    assert ">31 December 2025</time>" in client.get("/account/manage").text
    assert "31 December 2025, 23:30 UTC" in text_of(row)

    client.post(PAGE, data=TYPED)
    assert ">1 January 2026</time>" in client.get("/account/manage").text
    assert "When: 1 January 2026, 00:30 CET\n" in text_of(row)
    element = '<time datetime="2025-12-31T23:30:00+00:00">1 January 2026, 00:30 CET</time>'
    rendered = catalog.emails["new_device"].compose(row)
    assert rendered is not None
    assert element in rendered.html


def text_of(row: Email) -> str:
    """Return the text of an email as it would be sent now."""
    rendered = catalog.emails[row.kind].compose(row)
    assert rendered is not None
    return rendered.text


def test_a_stored_zone_that_is_gone_is_utc(client: FlaskClient, user: User, db: SQLAlchemy) -> None:
    user.time_zone = "Europe/Atlantis"
    db.session.commit()
    assert client.get("/account/manage").status_code == 200
    assert user.zone is UTC


def test_the_copy_of_ones_data_holds_the_profile(app: Flask, client: FlaskClient, user: User) -> None:
    client.post(PAGE, data=TYPED)
    export = DataExport(user=user)
    export.write()
    account = json.loads(export.content or "")["account"]
    assert (account["nickname"], account["time_zone"], account["about"]) == (user.nickname, user.time_zone, user.about)


def test_security_leads_to_what_protects_the_account(client: FlaskClient, user: User) -> None:
    page = client.get("/account/manage/security").text
    assert 'href="/account/manage/change-password"' in page
    assert 'href="/account/sessions"' in page
