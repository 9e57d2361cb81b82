"""Logging in with a mailed link or code in a real browser, with JavaScript and without."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from app.email import catalog
from app.extensions import db
from app.models import Email, User, UserSession
from tests.browser.audit import problems
from tests.browser.visitor import Visitor
from tests.factories import make_user

pytestmark = pytest.mark.thorough


@pytest.fixture
def user(app: Flask, site: str, monkeypatch: pytest.MonkeyPatch) -> User:
    """Return a user of a site where mailed codes are on."""
    monkeypatch.setitem(app.config, "MAGIC_LINK", True)
    return make_user(first_name="Ada")


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def own(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Yield the browser that asks for the code, with JavaScript and without."""
    with Visitor.at(browser, site, java_script_enabled=request.param) as visitor:
        yield visitor
        assert visitor.complaints == []


def ask(visitor: Visitor, user: User) -> Page:
    visitor.open("/account/login?next=/account/sessions")
    page = visitor.page
    page.get_by_role("link", name="Email me a code instead").click()
    page.get_by_label("Email").fill(user.email)
    page.get_by_role("button", name="Email me a code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")
    return page


def mailed() -> tuple[str, str]:
    """Return the code and the path of the link in the newest email."""
    db.session.rollback()
    row = Email.query.filter_by(kind="mailed_code").order_by(Email.id.desc()).first()
    text = catalog.emails["mailed_code"].compose(row).text
    return re.search(r"\w{4}-\w{4}\b", text).group(), re.search(r"/account/email-code/\S+", text).group()


def test_axe_finds_nothing_on_the_pages_of_a_browser_that_waits(visitor: Visitor, user: User) -> None:
    page = ask(visitor, user)
    found = problems(page)
    page.get_by_label("Code").fill("WRNG-0000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This code is wrong.")).to_be_visible()
    found += problems(page)
    visitor.open(mailed()[1])
    assert found + problems(page) == []


def expect_to_be_in(page: Page, user: User) -> None:
    expect(page).to_have_url(re.compile("/account/sessions$"))
    db.session.rollback()
    assert UserSession.query.filter_by(user_id=user.id).count() == 1


def test_the_code_is_typed_where_it_was_asked_for(own: Visitor, user: User) -> None:
    page = ask(own, user)
    code, _link = mailed()
    for typed, place in (("WRNG-0000", None), (code.lower().replace("-", " "), "/account/sessions")):
        page.get_by_label("Code").fill(typed)
        page.get_by_role("button", name="Continue").click()
        if place is None:
            expect(page.get_by_text("This code is wrong.")).to_be_visible()
    expect_to_be_in(page, user)


def test_the_link_is_pressed_in_the_same_browser_and_the_waiting_page_goes_on(
    own: Visitor, user: User, request: pytest.FixtureRequest
) -> None:
    page = ask(own, user)
    _code, link = mailed()
    tab = own.context.new_page()
    tab.goto(own.address + link)
    tab.get_by_role("button", name="Log in").click()
    expect_to_be_in(tab, user)
    if "without" in request.node.name:
        page.reload()
    expect_to_be_in(page, user)


def test_the_link_shows_the_code_in_another_browser(own: Visitor, browser: Browser, user: User) -> None:
    page = ask(own, user)
    code, link = mailed()
    with Visitor.at(browser, own.address) as phone:
        phone.open(link)
        expect(phone.page.get_by_text(code)).to_be_visible()
        assert phone.page.get_by_role("button", name="Log in").count() == 0
        shown = phone.page.locator("main code").inner_text()
    page.get_by_label("Code").fill(shown)
    page.get_by_role("button", name="Continue").click()
    expect_to_be_in(page, user)
