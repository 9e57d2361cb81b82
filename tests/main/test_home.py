"""The first page: for visitors what the site is about, for users a home of their own."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from jinja2 import ChoiceLoader, DictLoader

from app.kit.http import caching
from app.models import AuditEvent
from app.next_steps import NEXT_STEPS, NextStep
from tests.factories import let_in, make_admin, make_user, sign_in
from tests.queries import recorded_queries

# A fork writes both of these; what it asks of its users is tested by its own areas.
LANDING_PAGE, HOME_OF_A_FORK = "For visitors.", "For {{ current_user.first_name }}."
COMPLETE = {"first_name": "Ada", "last_name": "Wren", "time_zone": "Europe/Berlin"}


@pytest.fixture(autouse=True)
def _fork(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    written = DictLoader({"main/index.html": LANDING_PAGE, "main/_home.html": HOME_OF_A_FORK})
    monkeypatch.setattr(app.jinja_env, "loader", ChoiceLoader([written, app.jinja_env.loader]))
    monkeypatch.setitem(app.extensions, "next_steps_of_areas", [])
    yield
    caching.clear(app)


def test_visitors_see_what_the_site_is_about(client: FlaskClient) -> None:
    assert client.get("/").text == LANDING_PAGE


def test_users_are_greeted_by_name_and_see_what_a_fork_shows_them(client: FlaskClient) -> None:
    let_in(client, make_user(first_name="<i>Ada", last_name="Wren"))
    response = client.get("/")
    assert "<h1>Hello, &lt;i&gt;Ada Wren</h1>" in response.text
    assert "For &lt;i&gt;Ada." in response.text
    assert LANDING_PAGE not in response.text
    assert '<meta name="robots" content="noindex">' in response.text
    assert response.headers["Cache-Control"] == "no-store"


def test_the_home_of_one_user_is_never_shown_to_the_next(app: Flask, client: FlaskClient) -> None:
    assert client.get("/").text == LANDING_PAGE
    for user in (make_user(), make_admin()):
        browser = app.test_client()
        let_in(browser, user)
        assert f"Hello, {user.full_name()}<" in browser.get("/").text
    assert client.get("/").text == LANDING_PAGE


@pytest.mark.parametrize(
    ("attributes", "steps"),
    [
        ({**COMPLETE, "confirmed": False}, ["Confirm your email address"]),
        ({**COMPLETE, "first_name": ""}, ["Tell us your name"]),
        ({**COMPLETE, "time_zone": ""}, ["Choose your time zone"]),
        (COMPLETE, []),
    ],
)
def test_what_is_left_to_do(client: FlaskClient, attributes: dict[str, object], steps: list[str]) -> None:
    let_in(client, make_user(**attributes))
    page = client.get("/").text
    assert ("What is left to do" in page) == bool(steps)
    assert [step.label for step in NEXT_STEPS if f"<h3>{step.label}</h3>" in page] == steps


def test_an_area_adds_a_step(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    due, done = (
        NextStep("main.about", label, "Why.", "key", lambda _, is_due=is_due: is_due)
        for label, is_due in (("Read this", True), ("Not that", False))
    )
    monkeypatch.setitem(app.extensions, "next_steps_of_areas", [due, done])
    let_in(client, make_user(**COMPLETE))
    page = client.get("/").text
    assert "Read this" in page
    assert "Not that" not in page


def test_recent_logins_are_ones_own_in_ones_own_time(client: FlaskClient, db: SQLAlchemy) -> None:
    user, other = make_user(**COMPLETE), make_user()
    sign_in(client, user)
    for number in range(6):
        AuditEvent.record("user.logged_in", subject=user, browser=f"Browser {number}")
    AuditEvent.record("user.logged_in", subject=other, browser="Somebody else's")
    db.session.flush()
    AuditEvent.query.filter_by(subject_id=user.id).update({"created_at": datetime(2025, 12, 31, 23, 30, tzinfo=UTC)})
    db.session.commit()
    page = client.get("/").text
    assert [number for number in range(6) if f"Browser {number}" in page] == [1, 2, 3, 4, 5]
    assert "Somebody else's" not in page
    assert page.count('title="1 January 2026, 00:30 CET">1 January 2026</time>') == 5


def test_the_home_costs_two_queries(client: FlaskClient, db: SQLAlchemy) -> None:
    let_in(client, make_admin())
    with recorded_queries(db.engine) as queries:
        assert client.get("/").status_code == 200
    assert len(queries) == 2, queries


@pytest.mark.parametrize("areas", [{"main", "dev"}, {"main"}])
def test_only_a_developer_is_told_how_to_fill_the_home(
    app: Flask, monkeypatch: pytest.MonkeyPatch, areas: set[str]
) -> None:
    monkeypatch.setattr(app, "blueprints", {name: app.blueprints[name] for name in areas})
    with app.test_request_context("/"):
        hint = render_template("main/_home_hint.html")
    assert ("main/_home.html" in hint) == ("dev" in areas)


def test_only_who_comes_back_is_welcomed_back(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    sign_in(client, user)
    assert "You are now logged in. Welcome!" in client.get("/").text
    again = app.test_client()
    sign_in(again, user)
    assert "You are now logged in. Welcome back!" in again.get("/").text
