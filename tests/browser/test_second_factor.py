"""Setting a second factor up and logging in with it, in a real browser, with and without scripts."""

import re
from pathlib import Path

import pytest
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from app.models import AuthenticatorApp
from tests.account.second_factors import code_of, shown_codes, shown_secret
from tests.browser.audit import problems
from tests.browser.nu_html_checker import expect_valid
from tests.browser.visitor import DESKTOP, Visitor
from tests.factories import PASSWORD, make_user

CLIPBOARD = ["clipboard-read", "clipboard-write"]

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("with_scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_first_code_to_the_last_way_out(
    browser: Browser, site: str, db: SQLAlchemy, tmp_path: Path, with_scripts: bool
) -> None:
    email = make_user().email
    with Visitor.at(browser, site, java_script_enabled=with_scripts, permissions=CLIPBOARD) as visitor:
        page, seen = visitor.page, {}

        def check(name: str) -> None:
            """Look at the page in both widths and modes, and keep it for the checker of HTML."""
            seen[name] = page.content().encode()
            if with_scripts:
                assert problems(page) == [], name
                page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]

        visitor.open("/account/login?next=/account/manage/security")
        log_in(page, email)
        check("security without a factor")
        page.get_by_role("link", name="Set up an app").click()
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
        link = page.get_by_role("link", name="Open an app on this device")
        expect(link).to_have_attribute("href", re.compile("^otpauth://totp/"))
        page.get_by_text("No camera?").click()
        check("set up")
        secret = shown_secret(page.content())
        if with_scripts:
            page.get_by_role("button", name="Copy").click()
            expect(page.get_by_role("button", name="Copied")).to_be_visible()
            assert page.evaluate("navigator.clipboard.readText()").strip() == shown_text(page)
        give(page, "000000")
        expect(page.get_by_text("This code is wrong")).to_be_visible()
        give(page, code_of(secret))
        page.get_by_role("button", name="Show my codes").click()
        codes = shown_codes(page.content())
        assert len(codes) == 10
        check("recovery codes")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert all(code in Path(download.value.path()).read_text() for code in codes)
        if with_scripts:
            page.get_by_role("button", name="Copy").click()
            expect(page.get_by_role("button", name="Copied")).to_be_visible()
            assert page.evaluate("navigator.clipboard.readText()").split() == codes
        page.get_by_role("button", name="I have saved them").click()
        expect(page.get_by_text("10 of 10 left")).to_be_visible()
        check("security")

        db.session.execute(update(AuthenticatorApp).values(last_step=0))
        db.session.commit()
        begin_again(visitor, email)
        check("second step")
        give(page, code_of(secret))
        expect(page).to_have_url(site + "/account/manage/security")

        begin_again(visitor, email)
        give(page, codes[0])
        expect(page.get_by_text("9 of 10 left")).to_be_visible()
        page.get_by_role("button", name="Remove app").click()
        if with_scripts:
            page.get_by_role("dialog").get_by_role("button", name="Remove app").click()
        expect(page.get_by_text("Your authenticator app is removed.")).to_be_visible()
        assert visitor.complaints == []
    expect_valid(seen, tmp_path)


def log_in(page: Page, email: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def begin_again(visitor: Visitor, email: str) -> None:
    visitor.become("")
    visitor.open("/account/login?next=/account/manage/security")
    log_in(visitor.page, email)


def give(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()


def shown_text(page: Page) -> str:
    return page.locator("#secret").text_content() or ""
