"""Policy decisions are made once in config.py, obeyed everywhere, and stated in the pages that people read."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.email import catalog
from app.kit.core.environment import ConfigError
from app.models import UserSession
from app.templating import duration
from config import Decisions, config
from tests.factories import let_in, make_user

APP = Path(__file__).parent.parent / "app"
NUMBER_OF_TIME = re.compile(r"\b(\d+|one|two|five|seven|ten|a|an) (second|minute|hour|day|week)s?\b(?! factor)")


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(hours=1), "one hour"),
        (timedelta(days=7), "seven days"),
        (timedelta(minutes=15), "15 minutes"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(0), "no seconds"),
    ],
)
def test_a_length_of_time_reads_well(length: timedelta, words: str) -> None:
    assert duration(length) == words


@pytest.mark.parametrize(
    ("email", "setting"),
    [
        ("confirm", "CONFIRM_LINK_LIFETIME"),
        ("invite", "INVITE_LINK_LIFETIME"),
        ("reset_password", "RESET_LINK_LIFETIME"),
        ("already_registered", "RESET_LINK_LIFETIME"),
        ("change_email", "CHANGE_EMAIL_LINK_LIFETIME"),
    ],
)
def test_an_email_states_the_lifetime_that_its_link_obeys(
    app: Flask, monkeypatch: pytest.MonkeyPatch, email: str, setting: str
) -> None:
    monkeypatch.setitem(app.config, setting, timedelta(minutes=42))
    with app.app_context():
        rendered = catalog.emails[email].preview()
    assert "42 minutes" in rendered.text
    assert "42 minutes" in rendered.html


def test_a_page_states_it_too(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "RESET_LINK_LIFETIME", timedelta(minutes=42))
    assert "42 minutes" in client.get("/account/reset-password").text


def test_no_template_states_a_time_of_its_own() -> None:
    found = {
        path.relative_to(APP).as_posix(): NUMBER_OF_TIME.findall(path.read_text())
        for path in (APP / "templates").rglob("*")
        if path.suffix in {".html", ".txt"} and "dev" not in path.parts
    }
    assert not {name: times for name, times in found.items() if times}, "compute it from config.py: {{ …|duration }}"


def test_a_link_dies_with_the_lifetime_that_was_set(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "RESET_LINK_LIFETIME", timedelta(0))
    user = make_user()
    assert not user.reset_password(user.generate_password_reset_token(), "another-fine-password")


def test_a_session_ends_when_config_says(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    let_in(client, user)
    assert UserSession.living(user)
    monkeypatch.setitem(app.config, "BROWSER_SESSION_LIFETIME", timedelta(0))
    assert not UserSession.living(user)
    assert client.get("/account/manage").status_code == 302


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD_MAX_LENGTH", 10),
        ("EMAIL_LEASE_SECONDS", 5),
        ("REMEMBERED_SESSION_LIFETIME", timedelta(hours=1)),
        ("SUDO_LIFETIME", timedelta(days=1)),
    ],
)
def test_numbers_that_contradict_each_other_are_told_at_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(Decisions, name, value)
    with pytest.raises(ConfigError, match=name):
        config["testing"]({})


def test_no_decision_hides_in_another_module() -> None:
    """Lifetimes belong in config.py, where people look for them."""
    hidden = {
        path.relative_to(APP).as_posix(): found
        for path in APP.rglob("*.py")
        if (found := re.findall(r"^[A-Z_]+ = timedelta\(.*$", path.read_text(), re.MULTILINE))
    }
    assert hidden == {
        # A precision is no policy.
        # Neither is how long a machine is waited for.
        "kit/storage/bucket.py": [
            "CONNECT_TIMEOUT = timedelta(seconds=2)",
            "READ_TIMEOUT = timedelta(seconds=10)",
            "RETRY_TIMEOUT = timedelta(seconds=10)",
        ],
        "models/user_session.py": ["LAST_SEEN_PRECISION = timedelta(minutes=1)"],
    }
