"""axe-core finds no violation on any page, no page scrolls sideways, and the browser's console stays empty."""

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Window

from app.models.user_profile import NAME_MAX_LENGTH
from tests.browser.audit import COLOR_RULES, problems, sideways_scrolling, small_targets, violations
from tests.browser.pages import WHO_LOOKS, Page, all_pages
from tests.browser.people import People
from tests.browser.visitor import DESKTOP, PHONE, Visitor

pytestmark = pytest.mark.thorough

TYPED_FIELDS = "input:is([type=text], [type=email], [type=password]):not([readonly])"
FORM = f"form[method=post]:has({TYPED_FIELDS})"


@pytest.fixture
def pages(app: Flask, site: str, people: People) -> list[Page]:
    """Return every page, with somebody who can see it."""
    return all_pages(app, people)


@pytest.mark.long(25)
@pytest.mark.parametrize("who", WHO_LOOKS)
def test_axe_finds_nothing_on_any_page(visitor: Visitor, people: People, pages: list[Page], who: str) -> None:
    found = []
    for page in pages_of(pages, who):
        visitor.become(people.cookies[who])
        visitor.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
        visitor.open(page.path)
        found += problems(visitor.page)
    assert found == []


@pytest.mark.long(15)
@pytest.mark.parametrize("who", WHO_LOOKS)
def test_axe_finds_nothing_where_errors_show(visitor: Visitor, people: People, pages: list[Page], who: str) -> None:
    found, forms = [], 0
    for page in pages_of(pages, who):
        visitor.become(people.cookies[who])
        visitor.open(page.path)
        if visitor.page.locator(FORM).count() and page.endpoint != "dev.components":
            address = visitor.page.url
            send_nothing(visitor.page)
            # A form without required fields was accepted.
            if visitor.page.url == address:
                forms += 1
                found += errors_badly_told(visitor.page)
                found += everywhere(visitor.page)
    assert found == []
    assert forms or who == "unconfirmed"


@pytest.mark.parametrize("who", ["user", "administrator"])
def test_the_longest_names_fit_the_smallest_screen(
    visitor: Visitor, people: People, pages: list[Page], db: SQLAlchemy, who: str
) -> None:
    longest = NAME_MAX_LENGTH * "W"
    people.user.first_name = people.user.last_name = longest
    people.user.email = f"{longest}@{longest[1:]}.example.org".lower()
    db.session.commit()
    visitor.become(people.cookies[who])
    found = []
    for page in pages_of(pages, who):
        visitor.open(page.path)
        found += [f"{page.path}: {problem}" for problem in sideways_scrolling(visitor.page)]
    assert found == []


@pytest.mark.parametrize("who", WHO_LOOKS)
def test_fingers_hit_every_control(browser: Browser, site: str, people: People, pages: list[Page], who: str) -> None:
    found = []
    with Visitor.at(browser, site, viewport=PHONE, has_touch=True, is_mobile=True) as visitor:
        visitor.become(people.cookies[who])
        for page in pages_of(pages, who):
            visitor.open(page.path)
            found += [f"{page.path}: {problem}" for problem in small_targets(visitor.page)]
    assert found == []


@pytest.mark.parametrize("who", ["visitor", "administrator"])
def test_axe_finds_nothing_with_the_menu_open(visitor: Visitor, people: People, who: str) -> None:
    visitor.become(people.cookies[who])
    visitor.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visitor.open("/")
    visitor.page.get_by_role("button", name="Menu").click()
    expect(visitor.page.get_by_role("link", name="About").first).to_be_visible()
    assert in_both_colors(visitor.page) == []


def test_axe_finds_nothing_with_a_dialog_open(visitor: Visitor, people: People) -> None:
    visitor.become(people.cookies["administrator"])
    visitor.open("/dev/components")
    visitor.page.locator("form[data-confirm] button").first.click()
    expect(visitor.page.locator("dialog[open]")).to_be_visible()
    assert everywhere(visitor.page) == []


@pytest.mark.parametrize("preference", [{"forced_colors": "active"}, {"contrast": "more"}])
def test_focus_and_buttons_stay_visible_when_the_system_chooses_the_colors(
    visitor: Visitor, preference: dict[str, str]
) -> None:
    visitor.page.emulate_media(**preference)  # type: ignore[arg-type]
    visitor.open("/account/login")
    button = visitor.page.locator("main button.button").last
    button.focus()
    visitor.page.keyboard.press("Shift+Tab")
    visitor.page.keyboard.press("Tab")
    style = button.evaluate(
        "element => { const s = getComputedStyle(element); return [s.outlineStyle, s.outlineWidth] }"
    )
    assert style[0] != "none"
    assert style[1] != "0px"
    assert violations(visitor.page) == []


def test_nothing_moves_for_who_wants_less_motion(visitor: Visitor) -> None:
    visitor.open("/dev/components")
    moving = visitor.page.evaluate(
        "[...document.querySelectorAll('*')].map(e => getComputedStyle(e))"
        ".filter(s => [s.transitionDuration, s.animationDuration].some(d => parseFloat(d) > 0))"
        ".length"
    )
    assert moving == 0


def pages_of(pages: list[Page], who: str) -> list[Page]:
    found = [page for page in pages if page.who == who]
    assert found, f"{who} sees no page that others do not: take the name out of WHO_LOOKS"
    return found


def send_nothing(window: Window) -> None:
    """Submit the form with its required fields empty, without the browser's own validation."""
    form = window.locator(FORM).first
    with window.expect_navigation():
        form.evaluate(
            "form => { form.querySelectorAll('[required]').forEach(field => { field.value = '' });"
            " form.noValidate = true; form.requestSubmit() }"
        )


def errors_badly_told(window: Window) -> list[str]:
    """Return what is missing: each field is marked and described by its error, and the first one has the focus."""
    told = window.evaluate(
        """() => {
            const invalid = [...document.querySelectorAll("[aria-invalid=true]")];
            const untold = invalid.filter(field => !(field.getAttribute("aria-describedby") || "").split(" ")
                .some(id => id && document.getElementById(id)?.textContent.trim()));
            return [invalid.length, untold.length, document.activeElement === invalid[0]];
        }"""
    )
    return [] if told == [told[0], 0, True] and told[0] else [f"{window.url}: [invalid, untold, focused] = {told}"]


def everywhere(window: Window) -> list[str]:
    window.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    return in_both_colors(window)


def in_both_colors(window: Window) -> list[str]:
    window.emulate_media(color_scheme="light")
    found = violations(window)
    window.emulate_media(color_scheme="dark")
    return [f"{window.url}: {problem}" for problem in [*found, *violations(window, COLOR_RULES)]]
