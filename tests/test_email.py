"""Tests for emails: rows of the caller's transaction, composed when sent, and canceled if no longer wanted."""

import inspect
import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select, text

from app import assets, email
from app.assets import READ_ON
from app.email import catalog, send_email
from app.jobs import outbox
from app.kit.assets.brand_colors import brand_colors
from app.kit.assets.contrast import MODES
from app.kit.db.database import utc_now
from app.models import Email, FactorRemoval, User
from tests import areas
from tests.factories import make_flow, make_invited, make_user
from tests.kit.conftest import send_to
from tests.servers.faulty_smtp import SmtpServer

TEMPLATES = Path(assets.__file__).parent / "templates"
EMAIL_TEMPLATES = [
    TEMPLATES / "layouts" / "email.html",
    TEMPLATES / "macros" / "email_macros.html",
    *sorted(TEMPLATES.glob("*/email/*.html")),
]
NAMES = areas.EMAILS
ORIGIN = {"ip_address": "203.0.113.7", "browser": "Firefox on Linux"}


@pytest.fixture(autouse=True)
def _ready(db: SQLAlchemy) -> None:
    """Enter the app's context with an empty outbox."""


@pytest.fixture
def smtp(app: Flask, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    server = SmtpServer().start()
    send_to(server, app, monkeypatch)
    yield server
    server.stop()


def deliver() -> None:
    outbox.deliver(go_on=lambda: True)


def states(db: SQLAlchemy) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Email.state).order_by(Email.id)))


@pytest.mark.parametrize("name", NAMES)
def test_every_email_has_a_preview_with_both_parts(app: Flask, name: str) -> None:
    preview = catalog.emails[name].preview()
    assert preview.subject
    assert re.search(rf"\S\n\n--\n{app.config['APP_NAME']}\n", preview.text)
    assert not re.search(r"[^\n]\n[^\n]+:\n|\n\n\n", preview.text), "a blank line above each link"
    assert "<table" in preview.html
    for part in (preview.text, preview.html):
        assert "{{" not in part
        assert "None" not in part


@pytest.mark.parametrize("name", NAMES)
def test_every_email_says_the_same_in_both_parts(name: str) -> None:
    preview = catalog.emails[name].preview()
    links = set(re.findall(r'https?://[^\s"<]+', preview.text))
    assert links <= set(re.findall(r'https?://[^\s"<]+', preview.html))


@pytest.mark.parametrize("name", NAMES)
def test_every_email_fits_mail_programs(name: str) -> None:
    """Inline styles, dark mode in the head, tables for layout, a preheader, and no external resources."""
    html = catalog.emails[name].preview().html
    assert html.count("style=") > 10
    assert "overflow-wrap: anywhere" in html
    assert "prefers-color-scheme: dark" in html
    assert html.count("<table") == html.count('role="presentation"')
    assert re.search(r'class="preheader"[^>]*display: none[^>]*>[^<]+<', html)
    assert not re.search(r"<(img|link|script|iframe)", html)
    assert "border-collapse: collapse" not in html, "collapsed borders have no round corners"
    assert len(html.encode()) < 102_000  # Gmail cuts what is longer


@pytest.fixture
def other_brand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return another color for each of the brand's, by name, and use them."""
    brand = assets.SOURCES / "styles" / "_brand.scss"
    colors = {name: f"#c0ff{number:02x}" for number, name in enumerate(brand_colors(brand.read_text()))}
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "_brand.scss").write_text("".join(f"${name}: {value};\n" for name, value in colors.items()))
    monkeypatch.setattr(assets, "SOURCES", tmp_path)
    return colors


EMAIL_COLORS = {f"{name}-{mode}" for name in ("ground", "surface", "text", "text-muted", "edge") for mode in MODES}
EMAIL_COLORS |= {"accent-light", "on-accent-light", "accent-text-light", "accent-text-dark"}


@pytest.mark.parametrize("name", NAMES)
def test_another_brand_changes_every_color_of_an_email(other_brand: dict[str, str], name: str) -> None:
    html = catalog.emails[name].preview().html
    found = set(re.findall(r"#[0-9a-fA-F]{3,8}\b", html))
    assert found <= set(other_brand.values()), "an email takes its colors from styles/_brand.scss"
    assert {other_brand[color] for color in EMAIL_COLORS if "accent" not in color} <= found
    if 'class="button"' in html:
        assert {other_brand[color] for color in EMAIL_COLORS} == found


@pytest.mark.parametrize("path", EMAIL_TEMPLATES, ids=lambda path: path.name)
def test_no_email_has_a_color_of_its_own(path: Path) -> None:
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|\bvar\(", path.read_text())


def test_what_an_email_has_on_what_is_checked_when_styles_are_built() -> None:
    pairs = {(text, ground) for text, ground, _least in READ_ON}
    assert {("text", "ground"), ("text", "surface"), ("text-muted", "ground"), ("text-muted", "surface")} <= pairs
    assert {("accent-text", "surface"), ("on-accent", "accent")} <= pairs


def test_an_email_leaves_with_the_commit_and_not_after_a_rollback(db: SQLAlchemy) -> None:
    user = make_user(confirmed=False)
    email.confirm.send(user)
    db.session.rollback()
    assert states(db) == []
    email.confirm.send(user)
    db.session.commit()
    assert states(db) == ["pending"]


def test_a_user_and_the_email_can_be_new_in_one_transaction(db: SQLAlchemy) -> None:
    user = User(email="new@example.com", password="correct-horse-battery")
    db.session.add(user)
    email.confirm.send(user)
    db.session.commit()
    assert db.session.scalar(select(Email.user_id)) == user.id


def test_no_token_link_or_text_is_stored(db: SQLAlchemy) -> None:
    user = make_user()
    email.reset_password.send(user)
    email.change_email.send(user, new_email="new@example.com")
    db.session.commit()
    for row in db.session.execute(text("SELECT * FROM emails")).mappings():
        stored = json.dumps(dict(row), default=str)
        assert "http" not in stored
        assert "token" not in stored
        assert len(stored) < 700


def test_the_link_is_made_when_the_email_leaves_and_works(db: SQLAlchemy, smtp: SmtpServer) -> None:
    user = make_user(confirmed=False)
    email.confirm.send(user)
    db.session.commit()
    deliver()
    [message] = smtp.messages
    token = re.search(r"/confirm[^/]*/([\w.-]+)|/c/([\w.-]+)", message.get_body(("plain",)).get_content())
    assert token is not None
    assert db.session.get(User, user.id).confirm_account(token[1] or token[2]) is True


def test_the_message_has_the_settings_of_the_site(app: Flask, db: SQLAlchemy, smtp: SmtpServer) -> None:
    email.password_changed.send(make_user(email="ada@example.com"), **ORIGIN)
    db.session.commit()
    deliver()
    [message] = smtp.messages
    assert message["Subject"] == f"{app.config['EMAIL_SUBJECT_PREFIX']} Your password was changed"
    assert str(message["From"]) == app.config["EMAIL_SENDER"]
    assert re.fullmatch(r"<email-\d+\.\d+@[\w.-]+>", message["Message-ID"])
    assert "203.0.113.7" in message.get_body(("plain",)).get_content()


def test_links_lead_to_the_configured_site(app: Flask, db: SQLAlchemy, smtp: SmtpServer, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setitem(app.config, "BASE_URL", "https://site.example")
    email.reset_password.send(make_user())
    db.session.commit()
    with app.test_request_context(headers={"Host": "evil.example"}):
        deliver()
    body = smtp.messages[0].get_body(("plain",)).get_content()
    assert "https://site.example/account/" in body
    assert "evil" not in body


def test_what_no_longer_makes_sense_is_canceled(db: SQLAlchemy, smtp: SmtpServer) -> None:
    confirmed, moved, disabled, gone, joined = (make_user(confirmed=False) for _ in range(5))
    for user in (confirmed, moved, disabled, gone):
        email.confirm.send(user)
    email.invite.send(joined)
    db.session.commit()
    confirmed.confirmed = True
    moved.email = "moved@example.com"
    disabled.disabled_at = utc_now()
    db.session.delete(gone)
    db.session.commit()
    deliver()
    # The email whose user was deleted is deleted too.
    assert states(db) == ["canceled"] * 4
    assert smtp.messages == []


def test_a_reset_link_never_goes_to_an_address_that_was_given_up(db: SQLAlchemy, smtp: SmtpServer) -> None:
    user = make_user(email="old@example.com")
    email.reset_password.send(user)
    user.email = "new@example.com"
    db.session.commit()
    deliver()
    assert smtp.messages == []


@pytest.mark.parametrize("name", NAMES)
def test_every_email_can_be_sent(db: SQLAlchemy, smtp: SmtpServer, name: str) -> None:
    user = make_invited() if name == "invite" else make_user(confirmed=False)
    # Arguments that samples do not have; sample_arguments adds the rest.
    known = {
        "change_email": {"new_email": "new@example.com"},
        "email_changed": {"recipient": "old@example.com", "new_email": user.email, **ORIGIN},
        "account_deleted": {"full_name": "Ada Lovelace"},
        "mailed_code": {"nonce": "nonce"},
        "sudo_code": {"nonce": "nonce"},
    }
    if name == "factor_removal":
        db.session.add(FactorRemoval(user=user, requested_by=make_user(), reason="", due_at=utc_now()))
    if "nonce" in known.get(name, {}):
        make_flow("a browser", name, user, nonce="nonce")
    catalog.emails[name].send(user, **known.get(name, sample_arguments(name)))
    db.session.commit()
    deliver()
    assert states(db) == ([] if name == "account_deleted" else ["sent"])
    expected = {"change_email": "new@example.com", "email_changed": "old@example.com"}
    assert smtp.messages[0]["To"] == expected.get(name, user.email)


def sample_arguments(name: str) -> dict[str, object]:
    """Return the composer's arguments that the sample has; a notice takes all but the link."""
    entry = catalog.emails[name]
    known = set(inspect.signature(entry.composer).parameters)
    taken = entry.sample.keys() - {"not_me_link"} if "_told" in known else known
    return {key: value for key, value in entry.sample.items() if key in taken}


def test_the_notice_of_a_deleted_account_outlives_it(db: SQLAlchemy, smtp: SmtpServer) -> None:
    user = make_user()
    email.account_deleted.send(user, full_name=user.full_name())
    db.session.delete(user)
    db.session.commit()
    deliver()
    assert "was deleted" in smtp.messages[0]["Subject"]


def test_a_fork_sends_with_send_email(db: SQLAlchemy, smtp: SmtpServer) -> None:
    send_email("bob@example.com", "Hello", "account/email/account_deleted", full_name="<Bob>")
    db.session.commit()
    deliver()
    [message] = smtp.messages
    assert message["To"] == "bob@example.com"
    assert "Hello <Bob>" in message.get_body(("plain",)).get_content()
    assert "&lt;Bob&gt;" in message.get_body(("html",)).get_content()


def test_send_email_refuses_what_is_no_plain_json() -> None:
    with pytest.raises(TypeError):
        send_email("bob@example.com", "Hello", "account/email/account_deleted", user=object())
