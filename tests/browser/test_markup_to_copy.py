"""The markup of each part on the components page can be read and copied with the keyboard alone."""

import pytest
from playwright.sync_api import expect

from tests.browser.keyboard import tab_to
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.thorough


def test_the_markup_opens_and_is_copied_by_keyboard(visitor: Visitor) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.open("/dev/components")
    source = page.get_by_role("region", name="Template of Empty state")
    expect(source).to_be_hidden()
    page.locator("#empty-state button").focus()
    tab_to(page, "Markup of Empty state")
    page.keyboard.press("Enter")
    expect(source).to_be_visible()
    tab_to(page, "Copy the Template of Empty state")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == source.text_content()
    page.keyboard.press("Tab")
    expect(source).to_be_focused()


def test_where_the_clipboard_is_closed_the_text_is_selected(visitor: Visitor) -> None:
    visitor.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    visitor.open("/dev/components")
    visitor.page.get_by_text("Markup of Badges").click()
    visitor.page.get_by_role("button", name="Copy the HTML of Badges").click()
    assert visitor.page.evaluate("getSelection().toString()").startswith("<p>")
