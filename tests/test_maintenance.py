"""Tests for maintenance: everybody but administrators waits, and nothing typed is lost."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from app import maintenance
from tests.entries import ENTRIES, Person, by_invitation, by_passkey, by_sign_up
from tests.factories import PASSWORD, make_admin, make_user, sign_in
from tests.html_forms import forms_on
from tests.servers.identity_provider import start_identity_provider

# Nobody is invited, or signs up, meanwhile.
FOR_ADMINISTRATORS = [entry for entry, gate in ENTRIES.items() if gate and entry not in {by_invitation, by_sign_up}]


@pytest.fixture
def closed(app: Flask, db: SQLAlchemy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the site, closed by the command."""
    monkeypatch.setitem(app.config, "MAINTENANCE_FILE", tmp_path / "maintenance")
    result = app.test_cli_runner().invoke(args=["maintenance", "on", "--message", "Back at <noon>."])
    assert result.output == "Maintenance is on, on this machine.\n"
    return app


@pytest.mark.parametrize("path", ["/", "/about", "/account/register", "/account/manage", "/admin/", "/robots.txt"])
def test_every_page_is_closed_and_says_when_to_come_back(closed: Flask, path: str) -> None:
    response = closed.test_client().get(path)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "300"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Back at <noon>." in html.unescape(response.text)


def test_health_checks_and_files_are_served_and_unknown_pages_stay_unknown(closed: Flask) -> None:
    assert closed.view_functions.keys() >= maintenance.STAYS_OPEN
    client = closed.test_client()
    styles = re.search(r'href="(/static/[^"]+css)"', client.get("/").text)
    assert styles
    assert client.get("/up").status_code == 200
    assert client.get(styles[1], buffered=True).status_code == 200
    assert client.get("/nowhere").status_code == 404
    assert client.get("/up/ready").json["failing"] == ["worker"]


def test_administrators_log_in_and_work_and_others_wait(closed: Flask) -> None:
    client, other = closed.test_client(), closed.test_client()
    sign_in(client, make_admin())
    assert client.get("/admin/").status_code == 200
    sign_in(other, make_user())
    assert other.get("/account/manage").status_code == 503
    closed.test_cli_runner().invoke(args=["maintenance", "off"])
    assert other.get("/account/manage").status_code == 200, "still logged in"


@pytest.mark.parametrize("entry", FOR_ADMINISTRATORS, ids=lambda entry: entry.__name__)
def test_administrators_log_in_by_every_way(
    closed: Flask, monkeypatch: pytest.MonkeyPatch, entry: Callable[[Person], TestResponse]
) -> None:
    for name in ("MAGIC_LINK", "MAGIC_LINK_FOR_ADMINISTRATORS"):
        monkeypatch.setitem(closed.config, name, True)
    with start_identity_provider() as provider:
        monkeypatch.setitem(closed.config, "PROVIDERS", {"example": provider.settings()})
        person = Person(make_admin(), closed.test_client(), provider)
        person.add_factors("passkey")
        step = entry(person).location
    if entry is not by_passkey:
        assert step == "/account/second-factor"
        by_passkey(person, "/account/second-factor/passkey")
    assert person.client.get("/admin/").status_code == 200


def test_what_was_typed_is_sent_again_except_passwords(closed: Flask) -> None:
    client = closed.test_client()
    typed = {"first_name": 'Ada "A" <b>', "email": "ada@example.org", "password": PASSWORD, "password2": PASSWORD}
    response = client.post("/account/register?next=/about", data=typed)
    assert response.status_code == 503
    assert PASSWORD not in response.text
    maintenance.end()
    [form] = [form for form in forms_on(response.text) if form.action == "/account/register?next=/about"]
    again = forms_on(client.post(form.action, data=form.values).text)[0].values
    assert (again["first_name"], again["email"], again["password"]) == (typed["first_name"], typed["email"], "")


def test_no_guess_is_counted_and_nothing_is_needed_that_may_be_away(
    closed: Flask, monkeypatch: pytest.MonkeyPatch, csrf_app: Flask, limits: None
) -> None:
    client = closed.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "a token"

    def be_away(*_arguments: object) -> None:
        raise OperationalError("SELECT 1", None, OSError())

    monkeypatch.setattr("app.models.UserSession.with_token", be_away)
    assert {client.post("/account/register").status_code for _ in range(30)} == {503}


def test_an_open_site_asks_for_nothing(client: FlaskClient) -> None:
    assert not maintenance.is_on()
    assert client.get("/").status_code == 200
