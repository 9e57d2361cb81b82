"""Every flow of an account and of an administrator, from its first page to its last, by keyboard alone."""

import pytest
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Page, expect

from app.models import EditableHTML, User
from tests.browser.keyboard import FIELDS, NAME, fill, press, tab_to
from tests.browser.people import People
from tests.browser.visitor import Visitor
from tests.factories import PASSWORD

pytestmark = pytest.mark.thorough

STRONG = "a quiet horse counts 42 stars"


@pytest.fixture
def as_user(visitor: Visitor, people: People) -> Page:
    """Return a visitor on the account page of a user who has just logged in."""
    visitor.become(people.cookies["user"])
    visitor.open("/account/manage")
    return visitor.page


@pytest.fixture
def as_administrator(visitor: Visitor, people: People) -> Page:
    """Return a visitor on the page of one user, logged in as an administrator."""
    visitor.become(people.cookies["administrator"])
    visitor.open(f"/admin/user/{people.user.id}")
    return visitor.page


def test_a_forgotten_password_is_replaced(visitor: Visitor, people: People) -> None:
    page = visitor.page
    visitor.open("/account/login")
    press(page, "Forgot your password?")
    fill(page, Email=people.user.email)
    submit(page)
    visitor.open(f"/account/reset-password/{people.user.generate_password_reset_token()}")
    fill(page, New_password=STRONG, Confirm_new_password=STRONG)
    submit(page)
    fill(page, Email=people.user.email, Password=STRONG)
    submit(page)
    expect(page.get_by_role("status").first).to_contain_text("You are now logged in. Welcome back!")


def submit(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_an_address_is_changed(visitor: Visitor, as_user: Page, people: People, db: SQLAlchemy) -> None:
    press(as_user, "Email address")
    fill(as_user, New_email="new@example.org", Password=PASSWORD)
    submit(as_user)
    expect(as_user.get_by_role("status").first).to_contain_text("new@example.org")
    token = people.user.generate_email_change_token("new@example.org")
    visitor.open(f"/account/manage/change-email/{token}")
    press(as_user, "Continue")
    db.session.refresh(people.user)
    assert people.user.email == "new@example.org"


def test_an_account_is_deleted(as_user: Page, people: People, db: SQLAlchemy) -> None:
    address = people.user.email
    press(as_user, "Delete account")
    fill(as_user, Password=PASSWORD)
    submit(as_user)
    expect(as_user.get_by_role("status").first).to_contain_text("Your account is deleted.")
    db.session.rollback()
    assert User.with_email(address) is None


def test_somebody_is_invited(as_administrator: Page, db: SQLAlchemy) -> None:
    press(as_administrator, "Invite a user")
    fill(as_administrator, First_name="Grace", Last_name="Hopper", Email="grace@example.org")
    press(as_administrator, "Send invitation")
    db.session.rollback()
    assert User.with_email("grace@example.org").is_invited


def test_a_role_is_changed_and_an_account_disabled_and_deleted(
    as_administrator: Page, people: People, db: SQLAlchemy
) -> None:
    page, user_id = as_administrator, people.user.id
    press(page, "Change account type")
    tab_to(page, "Account type", FIELDS)
    page.keyboard.type("Admin")
    press(page, "Change account type")
    db.session.refresh(people.user)
    assert people.user.is_admin()
    press(page, "Disable")
    fill(page, Reason="Asked for it")
    submit(page)
    db.session.refresh(people.user)
    assert people.user.is_disabled
    press(page, "Delete")
    press(page, "Delete for good")
    db.session.rollback()
    assert db.session.get(User, user_id) is None


def test_a_dialog_is_refused_and_then_confirmed(as_administrator: Page) -> None:
    page = as_administrator
    tab_to(page, "Log out everywhere")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate(NAME) == "Log out everywhere"
    page.keyboard.press("Enter")
    press(page, "Log out everywhere")
    expect(page.get_by_text("Not logged in anywhere.")).to_be_visible()


def test_a_page_is_edited(as_administrator: Page, db: SQLAlchemy) -> None:
    page = as_administrator
    press(page, "About")
    tab_to(page, "Edit this page")
    page.keyboard.press("Enter")
    fill(page, Text_in_Markdown="Written by keyboard")
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+b")
    press(page, "Save")
    expect(page.locator("#edited-about strong")).to_have_text("Written by keyboard")
    assert EditableHTML.get_editable_html("about").value == "**Written by keyboard**"
