"""Everything works with the keyboard alone, and the focus is always visible."""

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Page, expect

from app.models import User
from tests.browser.keyboard import NAME, fill, press, tab_to
from tests.browser.people import People
from tests.browser.visitor import DESKTOP, PHONE, Visitor
from tests.factories import PASSWORD

pytestmark = pytest.mark.thorough


def test_registering(visitor: Visitor, db: SQLAlchemy) -> None:
    page = visitor.page
    visitor.open("/")
    press(page, "Register")
    fill(page, First_name="Ada", Last_name="Wren", Email="ada@example.org", Password="short", Confirm_password="short")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    fill_password(visitor)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Confirm your account")).to_be_visible()
    assert User.with_email("ada@example.org") is not None


def fill_password(visitor: Visitor) -> None:
    page = visitor.page
    for field in ("#password", "#password2"):
        while not page.locator(field).evaluate("field => field === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("a quiet horse counts 42 stars")


def test_signing_in_and_changing_the_password_and_out(visitor: Visitor, people: People) -> None:
    page = visitor.page
    visitor.open("/")
    press(page, "Log in")
    fill(page, Email=people.user.email, Password=PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    open_user_menu(page)
    press(page, "Security")
    press(page, "Change the password")
    expect(page).to_have_title("Password · Flask-Base")
    open_user_menu(page)
    press(page, "Log out")
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()


def open_user_menu(page: Page) -> None:
    tab_to(page, "Ada Wren", "summary")
    page.keyboard.press("Enter")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_user_menu_opens_and_closes(visitor: Visitor, people: People, size: dict[str, int]) -> None:
    page = visitor.page
    page.set_viewport_size(size)  # type: ignore[arg-type]
    visitor.become(people.cookies["user"])
    visitor.open("/about")
    menu = page.get_by_role("navigation", name="Personal")
    open_user_menu(page)
    expect(menu).to_be_in_viewport(ratio=1)
    tab_to(page, "Profile")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    assert page.evaluate(NAME) == "Ada Wren"
    page.keyboard.press("Enter")
    tab_to(page, "Log out")
    page.keyboard.press("Tab")
    expect(menu).to_be_hidden()


def test_the_first_stop_skips_to_the_content(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/account/login")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.goto(f"{visitor.address}/about")
    page.keyboard.press("Tab")
    assert page.evaluate(NAME) == "Skip to content"
    expect(page.locator(".skip-link")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_an_empty_form_leads_to_its_first_error(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/account/login")
    page.locator("main form").first.evaluate("form => { form.noValidate = true }")
    fill(page, Password="x")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    first = page.locator("[aria-invalid=true]").first
    expect(first).to_be_focused()
    expect(first).to_have_accessible_description("Enter an email address.")


def test_a_refused_login_leads_to_the_reason_and_on_to_the_fields(visitor: Visitor, people: People) -> None:
    page = visitor.page
    visitor.open("/account/login")
    fill(page, Email=people.user.email, Password="not the password")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    fill(page, Email=people.user.email, Password=PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_be_visible()


def test_the_menu_of_a_phone_opens_and_closes(visitor: Visitor) -> None:
    page = visitor.page
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visitor.open("/")
    tab_to(page, "Menu")
    page.keyboard.press("Enter")
    expect(page.locator("#site-menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#site-menu")).to_be_hidden()
    assert page.evaluate(NAME) == "Menu"


def test_a_dialog_holds_the_focus_and_gives_it_back(visitor: Visitor, app: Flask) -> None:
    page = visitor.page
    visitor.open("/dev/components")
    button = page.locator("form[data-confirm] button").first
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    for _ in range(5):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


def test_the_password_shows_on_demand(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/account/login")
    fill(page, Password="visible")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.keyboard.press("Space")
    expect(page.locator("#password")).to_have_attribute("type", "password")
