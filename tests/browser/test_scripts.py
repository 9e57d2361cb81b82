"""Tests for what the scripts add to the pages, and for the pages without them."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser, Dialog, Page, Route, expect
from sqlalchemy import update

from app.assets import BUNDLES, SOURCES, theme_color
from app.kit.db.database import utc_now
from app.models import EditableHTML, User, UserSession
from tests.browser.people import People
from tests.browser.visitor import Visitor
from tests.dev.test_mailbox import write
from tests.factories import PASSWORD

WHOLE_EMAIL = "frame.contentDocument.documentElement.scrollHeight"
STRONG = "seven-violet-otters-hum"
SHOWN_COLORS = """
    [getComputedStyle(document.body).backgroundColor,
     ...[...document.querySelectorAll("meta[name=theme-color]")]
        .filter(color => matchMedia(color.media).matches).map(color => color.content)]
"""


@pytest.mark.parametrize("system", ["light", pytest.param("dark", marks=pytest.mark.thorough)])
def test_a_chosen_theme_colors_the_page_and_the_browsers_frame(visitor: Visitor, system: str) -> None:
    visitor.page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
    visitor.open("/")
    for theme, mode in (("Light", "light"), ("Dark", "dark"), ("Auto", system)):
        choose(visitor.page, theme)
        assert shown_colors(visitor.page) == [theme_color(mode)] * 2
        visitor.open("/about")
        assert shown_colors(visitor.page) == [theme_color(mode)] * 2


def test_a_chosen_theme_is_in_the_first_byte_of_the_next_page(visitor: Visitor) -> None:
    visitor.open("/")
    choose(visitor.page, "Dark")
    html = visitor.context.request.get(f"{visitor.address}/about").text()
    assert '<html lang="en" data-theme="dark">' in html
    assert f'media="all" content="{theme_color("dark")}"' in html
    assert f'media="not all" content="{theme_color("light")}"' in html


def test_a_page_that_comes_back_takes_over_what_was_chosen_meanwhile(visitor: Visitor) -> None:
    visitor.open("/")
    visitor.page.evaluate("document.cookie = 'theme=dark; Path=/'")
    visitor.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert shown_colors(visitor.page) == [theme_color("dark")] * 2
    expect(visitor.page.get_by_label("Dark")).to_be_checked()


def choose(page: Page, theme: str) -> None:
    page.get_by_label(theme).check(force=True)


def shown_colors(page: Page) -> list[str]:
    """Return the colors of the page's background and of the browser's frame around it, as "#rrggbb"."""
    ground, *frame = page.evaluate(SHOWN_COLORS)
    return ["#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", ground)), *frame]


def test_a_flash_stays_until_it_is_dismissed(visitor: Visitor, people: People) -> None:
    visitor.open("/account/login")
    log_in(visitor, people.user.email)
    flash = visitor.page.locator(".flash--success")
    expect(flash).to_be_visible()
    flash.get_by_role("button", name="Dismiss this message").click()
    expect(flash).to_have_count(0)
    assert visitor.page.evaluate("document.activeElement.id") == "content"


def test_a_screen_reader_hears_a_flash_that_came_with_the_page(visitor: Visitor, people: People) -> None:
    visitor.page.add_init_script(
        """addEventListener("DOMContentLoaded", () => document.querySelectorAll("[role=status]").forEach(region =>
            new MutationObserver(changes => { document.body.dataset.heard = changes[0].addedNodes[0].textContent; })
                .observe(region, {childList: true})));"""
    )
    visitor.open("/account/login")
    log_in(visitor, people.user.email)
    expect(visitor.page.locator("body")).to_have_attribute("data-heard", "You are now logged in. Welcome back!")


def log_in(visitor: Visitor, address: str) -> None:
    visitor.page.get_by_label("Email").fill(address)
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.page.locator("main").get_by_role("button", name="Log in", exact=True).click()


def test_a_form_is_sent_once_and_shows_that_it_is_being_sent(visitor: Visitor) -> None:
    posts: list[Route] = []
    visitor.page.route("**/account/reset-password", lambda route: hold(route, posts))
    visitor.open("/account/reset-password")
    visitor.page.get_by_label("Email").fill("ada@example.org")
    progress = visitor.page.evaluate(
        "() => { const button = document.querySelector('main form button:not([type=button])'); button.click();"
        " button.click(); return [button.form.ariaBusy, button.ariaDisabled]; }"
    )
    assert progress == ["true", "true"]
    visitor.page.wait_for_timeout(200)
    assert len(posts) == 1
    posts[0].abort()
    visitor.complaints.clear()


def hold(route: Route, posts: list[Route]) -> None:
    if route.request.method == "POST":
        posts.append(route)
    else:
        route.continue_()


@pytest.mark.parametrize("typed", [True, False])
def test_leaving_a_changed_form_asks_and_an_untouched_one_does_not(visitor: Visitor, typed: bool) -> None:
    asked: list[str] = []

    def note(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    visitor.page.on("dialog", note)
    visitor.open("/account/register")
    if typed:
        visitor.page.get_by_label("First name").press_sequentially("Ada")
    visitor.page.get_by_role("link", name="About").first.click()
    visitor.page.wait_for_url("**/about")
    assert asked == (["beforeunload"] if typed else [])


def test_a_password_can_be_shown_and_caps_lock_is_noted(visitor: Visitor) -> None:
    visitor.open("/account/login")
    field = visitor.page.get_by_label("Password", exact=True)
    button = visitor.page.get_by_role("button", name="Show password")
    button.click()
    assert field.get_attribute("type") == "text"
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert field.get_attribute("type") == "password"
    field.evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keyup', {key: 'A', modifierCapsLock: true, bubbles: true}))"
    )
    expect(visitor.page.get_by_text("Caps Lock is on.")).to_be_visible()


@pytest.mark.thorough
def test_the_meter_judges_what_is_typed_pasted_and_cleared(visitor: Visitor) -> None:
    visitor.open("/account/register")
    hint = visitor.page.locator(".password-meter p")
    field = visitor.page.get_by_label("Password", exact=True)
    field.press_sequentially("password1")
    expect(hint).not_to_contain_text("12 characters or more")
    assert 0 < visitor.page.locator("meter").evaluate("meter => meter.value") < 3
    field.fill(STRONG)
    expect(hint).to_have_text("This password is strong enough.")
    field.fill("")
    expect(hint).to_contain_text("12 characters or more")


@pytest.mark.thorough
def test_the_meter_knows_the_name_that_was_typed(visitor: Visitor) -> None:
    visitor.open("/account/register")
    visitor.page.get_by_label("First name").fill("Zaphodina")
    visitor.page.get_by_label("Last name").fill("Beeblebroxson")
    visitor.page.get_by_label("Password", exact=True).fill("ZaphodinaBeeblebroxson")
    hint = visitor.page.locator(".password-meter p")
    expect(hint).not_to_contain_text("12 characters or more")
    expect(hint).not_to_have_text("This password is strong enough.")


def test_the_editor_formats_previews_and_saves(visitor: Visitor, people: People, db: SQLAlchemy) -> None:
    area = open_editor(visitor, people)
    area.locator("textarea").fill("hello")
    area.locator("textarea").press("ControlOrMeta+a")
    area.locator("textarea").press("ControlOrMeta+b")
    assert area.locator("textarea").input_value() == "**hello**"
    expect(area.get_by_role("region", name="Preview").locator("strong")).to_have_text("hello")
    area.get_by_role("button", name="Heading", exact=True).click()
    assert area.locator("textarea").input_value() == "## **hello**"
    with visitor.page.expect_navigation():
        area.get_by_role("button", name="Save").click()
    expect(visitor.page.locator("#edited-about h2")).to_have_text("hello")
    assert EditableHTML.get_editable_html("about").value == "## **hello**"


def test_a_failed_save_says_so_and_keeps_the_text(visitor: Visitor, people: People) -> None:
    area = open_editor(visitor, people)
    area.locator("textarea").fill("not lost")
    visitor.page.route("**/_update_editor_contents", lambda route: route.abort())
    area.get_by_role("button", name="Save").click()
    expect(area.locator("[data-editor-status]")).to_contain_text("Not saved.")
    assert area.locator("textarea").input_value() == "not lost"
    visitor.complaints.clear()


def test_a_save_that_needs_the_password_offers_another_tab_and_keeps_the_text(
    visitor: Visitor, people: People, db: SQLAlchemy
) -> None:
    area = open_editor(visitor, people)
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(minutes=16)))
    db.session.commit()
    area.locator("textarea").fill("a *long* text")
    area.get_by_role("button", name="Save").click()
    with visitor.context.expect_page() as opened:
        area.get_by_role("link", name="Confirm that it is you in a new tab").click()
    opened.value.get_by_label("Password", exact=True).fill(PASSWORD)
    opened.value.locator("main").get_by_role("button").last.click()
    opened.value.wait_for_url("**/about")
    opened.value.close()
    with visitor.page.expect_navigation():
        area.get_by_role("button", name="Save").click()
    expect(visitor.page.locator("#edited-about em")).to_have_text("long")
    visitor.complaints.clear()


def test_two_tabs_do_not_overwrite_each_other(visitor: Visitor, people: People, db: SQLAlchemy) -> None:
    area = open_editor(visitor, people)
    EditableHTML.get_editable_html("about").value = "theirs"
    db.session.commit()
    area.locator("textarea").fill("mine")
    with visitor.page.expect_navigation():
        area.get_by_role("button", name="Save").click()
    expect(visitor.page.get_by_role("region", name="Their text")).to_have_text("theirs")
    visitor.page.get_by_role("button", name="Save").click()
    expect(visitor.page.locator("#edited-about")).to_have_text("mine")
    visitor.complaints.clear()  # Chromium reports each 409


@pytest.mark.thorough
def test_a_tall_preview_leaves_the_tools_alone(visitor: Visitor, people: People, db: SQLAlchemy) -> None:
    EditableHTML.query.delete()
    db.session.commit()
    area = open_editor(visitor, people)
    expect(area.get_by_text("Nothing written yet")).to_be_hidden()
    tools = area.get_by_role("group", name="Formatting")
    before = tools.bounding_box()
    area.locator("textarea").fill("- item\n" * 60)
    expect(area.get_by_role("region", name="Preview").locator("li")).to_have_count(60)
    assert tools.bounding_box() == before
    save = visitor.page.locator(".editor").get_by_role("button", name="Save").bounding_box()
    typed = area.locator("textarea").bounding_box()
    assert save is not None
    assert typed is not None
    assert 0 < save["y"] - typed["y"] - typed["height"] < 100, "the preview pushes the button down"


def open_editor(visitor: Visitor, people: People) -> Page:
    visitor.become(people.cookies["administrator"])
    visitor.open("/about")
    visitor.page.get_by_text("Edit this page", exact=True).click()
    expect(visitor.page.get_by_role("group", name="Formatting")).to_be_visible()
    return visitor.page


def test_without_scripts_people_register_and_administrators_edit(
    browser: Browser, site: str, people: People, db: SQLAlchemy
) -> None:
    with Visitor.at(browser, site, java_script_enabled=False) as visitor:
        visitor.open("/account/register")
        expect(visitor.page.locator(".password__show").first).to_be_hidden()
        expect(visitor.page.locator("meter")).to_be_hidden()
        expect(visitor.page.get_by_text("characters or more.")).to_be_visible()
        expect(visitor.page.locator(".theme-switch")).to_be_hidden()
        register(visitor.page, "noscript@example.org")
        assert User.with_email("noscript@example.org") is not None
        visitor.become(people.cookies["administrator"])
        visitor.open("/about")
        visitor.page.get_by_text("Edit this page").click()
        visitor.page.locator("textarea").fill("Written *without* scripts")
        visitor.page.get_by_role("button", name="Save").click()
        expect(visitor.page.locator("#edited-about em")).to_have_text("without")
        expect(visitor.page.locator(".flash")).to_be_visible()
        expect(visitor.page.locator(".flash__dismiss")).to_be_hidden()


@pytest.mark.thorough
def test_a_long_email_is_shown_whole(visitor: Visitor, people: People, app: Flask) -> None:
    write(app.config["MAILBOX_DIR"], "long.eml", html="<p>One of many lines.</p>" * 100)
    visitor.open("/dev/mailbox/long.eml")
    frame = visitor.page.locator(".email-frame")
    expect(frame).to_have_js_property("offsetHeight", frame.evaluate(f"frame => {WHOLE_EMAIL} + 2"))
    assert frame.evaluate("frame => frame.offsetHeight") > 2000


def register(page: Page, address: str) -> None:
    page.get_by_label("First name").fill("No")
    page.get_by_label("Last name").fill("Script")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password", exact=True).fill(STRONG)
    page.get_by_label("Confirm password").fill(STRONG)
    page.get_by_label("I agree").check()
    page.locator("main").get_by_role("button", name="Register").click()


def test_a_page_loads_only_the_scripts_it_needs(visitor: Visitor) -> None:
    expected = {"/": ["app"], "/account/login": ["app", "passkeys", "password"], "/dev/mailbox": ["app", "mailbox"]}
    for path, names in expected.items():
        visitor.open(path)
        sources = visitor.page.locator("script").evaluate_all("all => all.map(script => script.src)")
        loaded = {re.sub(r".*/static/(\w+)\..*", r"\1", source) for source in sources}
        assert sorted(loaded) == sorted(names), path


def test_a_real_parser_reads_every_script_before_and_after_minifying(visitor: Visitor) -> None:
    from tests.test_assets import minified

    visitor.open("/")
    for files in BUNDLES.values():
        source = "\n".join((SOURCES / file).read_text() for file in files)
        if files[0].endswith(".js"):
            for text in (source, minified(source)):
                assert visitor.page.evaluate("text => { new Function(text); return true; }", text)
