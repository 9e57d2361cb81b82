"""SECOND_FACTOR_REQUIRED: until one is set up, nothing else opens."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import update

from app.access import ANYONE, NEWCOMERS, SET_UP_PAGES, UNCONFIRMED, VISITORS
from app.kit.db.database import utc_now
from app.models import FactorRemoval, Permission, UserSession
from tests.account.second_factors import (
    APP_PAGE,
    CODES_PAGE,
    SECOND_STEP,
    add_app,
    first_step,
    save_codes,
    second_step,
    turn_on,
)
from tests.factories import PASSWORD, browser_of, let_in, make_admin, make_role, make_user
from tests.html_forms import forms_on
from tests.test_routes import ROUTES, RULES, address

SECURITY = "/account/manage/security"
# Those of the set-up, what every page loads, links in emails, and leaving.
OPEN = {
    "account.delete_account",
    "account.download_export",
    "account.exports",
    "account.request_export",
    "account.agree",
    "account.authenticator_app",
    "account.confirm_password",
    "account.download_recovery_codes",
    "account.logout",
    "account.new_passkey",
    "account.recovery_codes",
    "account.security",
    "admin.stop_impersonating",
    "main.about",
    "main.favicon",
    "main.manifest",
    "main.page",
    "main.robots",
    "static",
}


# Without a factor, and with a dead link.
LEAD_THERE = {"account.recovery_codes", "account.keep_second_factors"}


@pytest.fixture
def required(app: Flask, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Demand a second factor of everybody, or of whom the test names."""
    of_whom: str = getattr(request, "param", "all")
    monkeypatch.setitem(app.config, "SECOND_FACTOR_REQUIRED", of_whom)
    return of_whom


def is_held(client: FlaskClient, address: str = "/", method: str = "GET") -> bool:
    return client.open(address, method=method).location == SECURITY


def is_open(endpoint: str) -> bool:
    rule = RULES[endpoint]
    is_link = rule is ANYONE and endpoint.startswith(("account.", "dev."))
    return is_link or endpoint in OPEN | {"account.picture_file"} or rule in {VISITORS, UNCONFIRMED, NEWCOMERS}


@pytest.mark.usefixtures("required")
def test_only_the_set_up_pages_open(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    assert OPEN | {"account.picture_file"} >= SET_UP_PAGES
    let_in(client, make_admin())
    answers, expected = {}, {}
    for route in ROUTES:
        answers[str(route)] = is_held(client, address(route), route.method)
        expected[str(route)] = not is_open(route.endpoint)
        if route.endpoint == "account.logout":
            let_in(client, make_admin())
    # These views themselves lead to the same page.
    own = {str(route) for route in ROUTES if route.endpoint in LEAD_THERE}
    assert {name: held for name, held in answers.items() if expected[name] != held and name not in own} == {}


@pytest.mark.usefixtures("required")
def test_the_set_up_pages_offer_only_what_opens(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    """With no factor, with an app but no codes, and in a session that logged in without its factor."""
    admin = make_admin()
    let_in(client, admin)
    assert "Set up a second factor to go on" in client.get(SECURITY).text
    assert offers_that_are_held(app, client) == set()
    add_app(client)
    assert "Save recovery codes" in client.get(SECURITY).text
    assert offers_that_are_held(app, client) == set()
    save_codes(client)
    assert "/account/manage/change-password" in client.get(SECURITY).text
    let_in(other := app.test_client(), admin)
    page = other.get(SECURITY).text
    assert "Log in again" in page
    assert not re.search("Add<|Make new<|Set up<", page), "each would only ask for another login"
    assert offers_that_are_held(app, other) == set()
    second = make_admin(email="second@example.org")
    db.session.add(FactorRemoval(user=admin, requested_by=second, reason="lost", due_at=utc_now()))
    db.session.commit()
    page = other.get(SECURITY).text
    assert "Log in again" in page
    assert "about to remove" in page


def offers_that_are_held(app: Flask, client: FlaskClient) -> set[tuple[str, str]]:
    """Return the links and buttons of the set-up pages that lead back there, with their page; the logo may."""
    found = set()
    for page in (SECURITY, APP_PAGE, "/account/passkeys/new", CODES_PAGE, "/account/manage/export", "/about"):
        text = client.get(page, follow_redirects=True).text
        offers = [(link, "GET") for link in re.findall(r'href="(/[^"#]+)"', text) if not link.startswith("/static/")]
        offers += [(form.action, form.method) for form in forms_on(text) if form.action]
        for target, method in offers:
            endpoint, _values = app.url_map.bind("localhost").match(target.partition("?")[0], method)
            if endpoint != "main.index" and not is_open(endpoint):
                found.add((page, endpoint))
    return found


@pytest.mark.usefixtures("required")
def test_who_logs_in_sets_a_factor_up_and_is_back_where_it_began(client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user()
    assert first_step(client, user, "/account/login?next=/account/sessions").location == SECURITY
    page = client.get(SECURITY).text
    assert "Set up a second factor to go on" in page
    assert is_held(client)
    assert is_held(client, "/account/sessions")
    assert add_app(client)[1].location == CODES_PAGE
    assert is_held(client, "/account/manage"), "the recovery codes are not saved yet"
    client.get("/account/manage/profile?x=1")
    client.post(CODES_PAGE)
    assert client.post(CODES_PAGE, data={"saved": "y"}).location == "/account/manage/profile?x=1"
    assert not is_held(client)
    client.post(f"{APP_PAGE}/remove")
    assert is_held(client), "who removes the last one sets up another one"


@pytest.mark.usefixtures("required")
def test_nobody_sets_a_factor_up_to_leave_with_their_data(app: Flask, db: SQLAlchemy) -> None:
    client = browser_of(app, make_user())
    assert client.get("/account/manage/export").status_code == 200
    assert client.post("/account/manage/export").location == "/account/manage/export"
    assert client.post("/account/manage/delete", data={"password": PASSWORD}).location == "/"


@pytest.mark.parametrize("required", ["admin"], indirect=True)
@pytest.mark.usefixtures("required", "kept_roles")
def test_of_administrators_and_all_other_staff(app: Flask, db: SQLAlchemy) -> None:
    assert not is_held(browser_of(app, make_user()), "/account/manage")
    assert is_held(browser_of(app, make_admin()), "/account/manage")
    make_role("Staff", Permission.GENERAL | Permission.VIEW_USERS)
    assert is_held(browser_of(app, make_user("Staff")), "/account/manage")


@pytest.mark.usefixtures("required")
def test_somebody_who_looks_at_the_site_as_a_user_needs_their_own(
    app: Flask, client: FlaskClient, db: SQLAlchemy
) -> None:
    admin, user = make_admin(), make_user()
    let_in(client, admin)
    save_codes_after_app(client)
    client.post(f"/admin/user/{user.id}/impersonate", data={"reason": "a test"})
    assert not is_held(client, "/account/manage"), "the user has none, and the administrator does"
    db.session.execute(update(UserSession).values(has_two_factors=False))
    db.session.commit()
    assert is_held(client, "/account/manage")


def save_codes_after_app(client: FlaskClient) -> None:
    add_app(client)
    save_codes(client)


def test_whoever_has_two_factors_already_is_not_asked_again(
    app: Flask, client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    _secret, codes = turn_on(browser_of(app, user), user)
    monkeypatch.setitem(app.config, "SECOND_FACTOR_REQUIRED", "all")
    assert first_step(client, user).location == SECOND_STEP
    assert second_step(client, codes[0]).location == "/"
    assert not is_held(client)


@pytest.mark.usefixtures("required")
def test_who_is_not_confirmed_confirms_first(client: FlaskClient, db: SQLAlchemy) -> None:
    let_in(client, make_user(confirmed=False))
    assert client.get("/account/unconfirmed").status_code == 200
    assert client.get("/account/manage").location == "/account/unconfirmed"
