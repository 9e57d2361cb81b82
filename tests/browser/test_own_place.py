"""The bar and the menu of whoever is logged in, the profile, and the first form, as a visitor sees them."""

import pytest
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import People
from tests.browser.visitor import DESKTOP, PHONE, Visitor

pytestmark = pytest.mark.thorough

NOTEBOOK = {"width": 1280, "height": 800}
EDGES = "elements => elements.map(element => element.getBoundingClientRect()).map(box => [box.left, box.right])"


def test_the_user_menu_works_without_scripts(browser: Browser, site: str, people: People) -> None:
    with Visitor.at(browser, site, java_script_enabled=False, viewport=PHONE) as visitor:
        visitor.become(people.cookies["user"])
        visitor.open("/")
        visitor.page.locator("summary", has_text="Ada Wren").click()
        visitor.page.get_by_role("link", name="Profile", exact=True).click()
        expect(visitor.page).to_have_title("Profile · Flask-Base")
        visitor.page.locator("summary", has_text="Ada Wren").click()
        visitor.page.get_by_role("button", name="Log out").click()
        expect(visitor.page.get_by_text("You are logged out.")).to_be_visible()


def test_a_click_elsewhere_closes_the_user_menu(visitor: Visitor, people: People) -> None:
    visitor.become(people.cookies["user"])
    visitor.open("/")
    visitor.page.locator("summary", has_text="Ada Wren").click()
    menu = visitor.page.get_by_role("navigation", name="Personal")
    expect(menu).to_be_visible()
    visitor.page.get_by_role("heading", level=1).click()
    expect(menu).to_be_hidden()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_bar_ends_where_the_page_ends_and_nothing_in_it_moves(
    visitor: Visitor, people: People, size: dict[str, int]
) -> None:
    visitor.page.set_viewport_size(size)  # type: ignore[arg-type]
    visitor.become(people.cookies["administrator"])
    places = []
    for path in ("/about", "/", "/admin/", f"/admin/user/{people.user.id}", "/account/manage/security"):
        visitor.open(path)
        places.append(visitor.page.locator(".site-header :is(.site-menu a, summary)").evaluate_all(EDGES))
    assert all(place == places[0] for place in places)
    [[_left, end]] = visitor.page.locator(".page-header").evaluate_all(EDGES)
    assert places[0][-1][1] == end


def test_the_bar_shortens_a_name_only_without_room(visitor: Visitor, people: People, db: SQLAlchemy) -> None:
    people.administrator.last_name = "Administrator"
    db.session.commit()
    visitor.become(people.cookies["administrator"])
    for width, is_whole in ((1280, True), (650, False)):
        visitor.page.set_viewport_size({"width": width, "height": 800})
        visitor.open("/")
        name = visitor.page.locator(".user-menu__name")
        assert name.evaluate("name => name.scrollWidth <= name.clientWidth") is is_whole


@pytest.mark.parametrize(
    ("zone", "selected"), [("America/New_York", "America/New_York"), ("Asia/Calcutta", "Asia/Kolkata")]
)
def test_the_browsers_time_zone_is_selected_until_another_is_saved(
    browser: Browser, site: str, people: People, zone: str, selected: str
) -> None:
    with Visitor.at(browser, site, timezone_id=zone) as visitor:
        visitor.become(people.cookies["user"])
        visitor.open("/account/manage/profile")
        field = visitor.page.get_by_label("Time zone")
        expect(field).to_have_value(selected)
        detected = visitor.page.get_by_text("Detected from your browser; change it if it is wrong.")
        expect(detected).to_be_visible()
        for saved in ("Europe/Berlin", ""):
            field.select_option(saved)
            save(visitor.page)
            expect(field).to_have_value(saved or selected)
            expect(detected).to_have_count(0 if saved else 1)
        assert visitor.complaints == []


def test_without_scripts_the_time_zone_stays_as_it_is(browser: Browser, site: str, people: People) -> None:
    with Visitor.at(browser, site, java_script_enabled=False, timezone_id="America/New_York") as visitor:
        visitor.become(people.cookies["administrator"])
        visitor.open("/account/manage/profile")
        expect(visitor.page.get_by_label("Time zone")).to_have_value("")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()


def test_the_registration_fits_a_notebook(visitor: Visitor) -> None:
    visitor.page.set_viewport_size(NOTEBOOK)  # type: ignore[arg-type]
    visitor.open("/account/register")
    expect(visitor.page.locator("main").get_by_role("button", name="Register")).to_be_in_viewport(ratio=1)
    first, last = (visitor.page.get_by_label(f"{part} name").bounding_box() for part in ("First", "Last"))
    assert first is not None
    assert last is not None
    assert first["y"] == last["y"]
    assert first["x"] + first["width"] < last["x"]
