"""The addresses that every site shares: whom to tell about a hole, and where a password is changed."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kit.core.environment import ConfigError
from config import config
from tests.factories import make_user, sign_in

SECURITY_TXT = "/.well-known/security.txt"


@pytest.fixture
def contact(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config["testing"](
        {"SECURITY_CONTACT": "security@example.org, https://example.org/report", "SECURITY_LANGUAGES": "en, de-CH"}
    )
    for name in ("SECURITY_CONTACT", "SECURITY_LANGUAGES", "SECURITY_POLICY"):
        monkeypatch.setitem(app.config, name, getattr(settings, name))
    monkeypatch.setitem(app.config, "BASE_URL", "https://example.org")


def fields(client: FlaskClient) -> list[tuple[str, str]]:
    """Return the fields of security.txt in their order."""
    response = client.get(SECURITY_TXT)
    assert (response.status_code, response.content_type) == (200, "text/plain; charset=utf-8")
    return [(name, value) for name, _, value in (line.partition(": ") for line in response.text.splitlines())]


@pytest.mark.usefixtures("contact")
def test_security_txt_says_whom_to_tell(client: FlaskClient) -> None:
    told = [(name, value) for name, value in fields(client) if name != "Expires"]
    assert told == [
        ("Contact", "mailto:security@example.org"),
        ("Contact", "https://example.org/report"),
        ("Preferred-Languages", "en, de-CH"),
        ("Canonical", "https://example.org/.well-known/security.txt"),
    ]


@pytest.mark.usefixtures("contact")
def test_security_txt_expires_within_a_year_and_not_before_caches_forget_it(client: FlaskClient) -> None:
    [expires] = [datetime.fromisoformat(value) for name, value in fields(client) if name == "Expires"]
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)


@pytest.mark.usefixtures("contact")
def test_a_policy_is_named_and_an_http_site_has_no_canonical_address(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SECURITY_POLICY", "https://example.org/policy")
    assert ("Policy", "https://example.org/policy") in fields(client)
    monkeypatch.setitem(app.config, "BASE_URL", "http://127.0.0.1:5000")
    assert "Canonical" not in dict(fields(client))


def test_without_a_contact_there_is_no_security_txt(client: FlaskClient) -> None:
    assert client.get(SECURITY_TXT).status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECURITY_CONTACT", "http://example.org/report"),
        ("SECURITY_CONTACT", "javascript:alert(1)"),
        ("SECURITY_CONTACT", "somebody"),
        ("SECURITY_CONTACT", "a@b.example\nEncryption: https://evil.example/key"),
        ("SECURITY_LANGUAGES", "en_US"),
        ("SECURITY_POLICY", "http://example.org/policy"),
        ("SECURITY_POLICY", "https://example.org/\nContact: mailto:x@evil.example"),
    ],
)
def test_a_setting_that_would_make_a_wrong_file_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        config["testing"]({name: value})


def test_password_managers_find_the_form_to_change_a_password(client: FlaskClient) -> None:
    path = "/.well-known/change-password"
    response = client.get(path)
    assert (response.status_code, response.location) == (302, "/account/manage/change-password")
    sign_in(client, make_user())
    form = client.get(path, follow_redirects=True)
    assert (form.status_code, form.request.path) == (200, "/account/manage/change-password")
    assert 'autocomplete="new-password"' in form.text


def test_what_does_not_exist_is_a_404_so_that_password_managers_believe_the_rest(client: FlaskClient) -> None:
    path = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"
    assert client.get(path).status_code == 404
