"""Tests for lists that follow their search form while somebody types."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.people import People
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.thorough

OLDER = re.compile(r"search=wren$")


@pytest.fixture
def users(visitor: Visitor, people: People) -> Page:
    """Return the page with the list of users, as the administrator sees it."""
    visitor.become(people.cookies["administrator"])
    visitor.open("/admin/users")
    return visitor.page


def test_results_follow_typing_and_the_field_keeps_the_focus(users: Page, people: People) -> None:
    requests: list[str] = []
    users.on("request", lambda request: requests.append(request.url) if "/admin/" in request.url else None)
    steps = users.evaluate("history.length")
    search = users.get_by_role("searchbox")
    search.press_sequentially("grace keeper")
    expect(users.locator("tbody tr")).to_have_count(1)
    expect(users.locator("tbody")).to_contain_text(people.administrator.email)
    assert len(requests) == 1, "one request for all letters that were typed at once"
    expect(search).to_be_focused()
    expect(search).to_have_value("grace keeper")
    expect(users.get_by_role("search").get_by_role("status")).to_have_text("1\u20131 of 1")
    assert parse_qs(urlsplit(users.url).query)["search"] == ["grace keeper"]
    assert users.evaluate("history.length") == steps
    users.reload()
    expect(users.locator("tbody tr")).to_have_count(1)


def test_filters_apply_at_once_and_each_chip_removes_one(users: Page) -> None:
    users.get_by_label("State").select_option("invited")
    users.get_by_role("searchbox").fill("nobody at all")
    expect(users.get_by_text("Nobody found")).to_be_visible()
    expect(users.get_by_role("search").get_by_role("status")).to_have_text("Nothing to show")
    chips = users.get_by_role("list", name="Shown are only")
    chips.get_by_role("link", name="Search: nobody at all").click()
    expect(users.get_by_label("State")).to_have_value("invited")
    expect(users.get_by_role("searchbox")).to_have_value("")
    chips.get_by_role("link", name="State: invited").click()
    expect(chips).to_have_count(0)
    expect(users.locator("tbody tr")).to_have_count(25)


def test_an_older_answer_never_replaces_a_newer_one(users: Page, visitor: Visitor) -> None:
    held: list[Route] = []
    users.route(OLDER, lambda route: held.append(route))
    search = users.get_by_role("searchbox")
    with users.expect_request(OLDER):
        search.fill("wren")
    search.fill("keeper")
    expect(users.locator("tbody tr")).to_have_count(1)
    held[0].fulfill(body="<form role=search><p role=status>too late</p></form>", content_type="text/html")
    users.evaluate("new Promise(done => setTimeout(done, 100))")  # the script would have shown it by then
    expect(users.locator("tbody")).to_contain_text("Keeper")
    assert users.url.endswith("search=keeper")
    visitor.complaints.clear()


def test_results_that_do_not_come_are_reported(users: Page, visitor: Visitor) -> None:
    users.route(re.compile("search="), lambda route: route.abort())
    users.get_by_role("searchbox").fill("wren")
    expect(users.get_by_text("The results could not be loaded.")).to_be_visible()
    expect(users.locator("tbody tr")).to_have_count(25)
    visitor.complaints.clear()  # Chromium reports the failed request


def test_a_slash_goes_to_the_search_but_stays_a_slash_in_a_text(users: Page) -> None:
    users.keyboard.press("/")
    search = users.get_by_role("searchbox")
    expect(search).to_be_focused()
    expect(search).to_have_value("")
    users.keyboard.press("/")
    expect(search).to_have_value("/")


def test_what_logs_out_meanwhile_leads_to_the_login(users: Page, visitor: Visitor) -> None:
    visitor.become("")
    users.get_by_role("searchbox").fill("wren")
    users.wait_for_url(re.compile(r"/account/login\?next="))
