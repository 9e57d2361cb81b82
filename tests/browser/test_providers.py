"""Signing up, logging in and linking with a provider on another origin, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser, expect
from sqlalchemy import select
from werkzeug.wrappers import Request, Response

from app.models import LinkedIdentity, User
from tests.browser.audit import problems
from tests.browser.nu_html_checker import expect_valid
from tests.browser.visitor import Visitor
from tests.factories import browser_of, make_user
from tests.servers.identity_provider import FaultyProvider, start_identity_provider

pytestmark = pytest.mark.thorough
BUTTON = "Log in with Example"


@pytest.fixture
def provider(app: Flask, site: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProvider]:
    """Yield a provider that the site offers, on another port and so of another origin."""
    with start_identity_provider() as running:
        monkeypatch.setitem(app.config, "PROVIDERS", {"example": running.settings()})
        monkeypatch.setitem(app.config, "BASE_URL", site)
        yield running


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with scripts", "without scripts"])
def test_somebody_signs_up_comes_back_and_unlinks(
    browser: Browser, site: str, provider: FaultyProvider, db: SQLAlchemy, java_script_enabled: bool
) -> None:
    with Visitor.at(browser, site, java_script_enabled=java_script_enabled) as visitor:
        page, visitor.partners = visitor.page, (provider.issuer,)
        visitor.open("/account/register")
        page.get_by_role("button", name="Register with Example").click()
        page.get_by_role("button", name="Ada Lovelace").click()
        expect(page.get_by_label("First name")).to_have_value("Ada")
        expect(page.locator("main")).to_contain_text("ada.lovelace@example.com")
        page.get_by_role("button", name="Register").click()
        expect(page.locator("body")).to_contain_text("You are now logged in")

        visitor.become("")
        visitor.open("/account/login?next=/account/manage/security")
        page.get_by_role("button", name=BUTTON).click()
        page.get_by_role("button", name="Ada Lovelace").click()
        expect(page).to_have_url(f"{site}/account/manage/security")
        page.get_by_role("button", name="Unlink Example").click()
        if java_script_enabled:
            page.get_by_role("dialog").get_by_role("button", name="Unlink").click()
        expect(page.locator("body")).to_contain_text("This is your only way to log in")
        assert visitor.complaints == []


def test_a_user_links_a_provider(app: Flask, visitor: Visitor, provider: FaultyProvider, db: SQLAlchemy) -> None:
    user, page, visitor.partners = make_user(), visitor.page, (provider.issuer,)
    cookie = browser_of(app, user).get_cookie("session")
    visitor.become(cookie.value if cookie else "")
    visitor.open("/account/manage/security")
    page.get_by_role("button", name="Link Example").click()
    page.get_by_role("button", name="Ada Lovelace").click()
    expect(page.locator("body")).to_contain_text("Example is linked")
    assert problems(page) == []
    db.session.rollback()
    assert len(LinkedIdentity.of(user)) == 1


def test_the_button_leads_there_even_if_the_provider_redirects_to_another_origin(
    visitor: Visitor, provider: FaultyProvider, db: SQLAlchemy
) -> None:
    """Browsers apply the form's ``form-action`` to each redirect that follows a POST."""

    def to_another_origin(request: Request) -> Response:
        if request.host.startswith("localhost"):
            return Response(status=302, headers={"Location": request.url.replace("localhost", "127.0.0.1", 1)})
        return provider.authorize(request)

    provider.answers["/authorize"] = to_another_origin
    page, visitor.partners = visitor.page, (provider.issuer, provider.issuer.replace("localhost", "127.0.0.1"))
    visitor.open("/account/login")
    assert problems(page) == []
    page.get_by_role("button", name=BUTTON).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("body")).to_contain_text("You did not continue with Example")
    assert db.session.scalar(select(User)) is None


def test_the_form_after_the_visit_is_for_everybody(visitor: Visitor, provider: FaultyProvider) -> None:
    visitor.partners = (provider.issuer,)
    visitor.open("/account/login")
    visitor.page.get_by_role("button", name=BUTTON).click()
    visitor.page.get_by_role("button", name="Alan Turing").click()
    expect(visitor.page.get_by_label("Email")).to_be_visible()
    assert problems(visitor.page) == []


def test_the_pages_are_valid(app: Flask, site: str, provider: FaultyProvider, db: SQLAlchemy, tmp_path: Path) -> None:
    app.config["WTF_CSRF_ENABLED"] = False  # as for every client of the tests
    user, client = make_user(), app.test_client()
    linked = LinkedIdentity(user=user, issuer=provider.issuer, subject="grace", provider="gone", email="x@example.com")
    db.session.add(linked)
    db.session.commit()
    away = client.post("/account/providers/example")
    client.get(provider.choose(away.headers["Refresh"].removeprefix("0; url=")))
    pages = {name: client.get(f"/account/{name}").data for name in ("login", "register", "register/provider")}
    pages["security"] = browser_of(app, user).get("/account/manage/security").data
    named = {name.replace("/", " "): document for name, document in pages.items()}
    expect_valid({**named, "to the provider": away.data}, tmp_path)
