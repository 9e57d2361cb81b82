"""The first minutes of a new developer, in a real browser, on a site started with one command."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visitor import Visitor
from tests.servers.development_site import DevelopmentSite, copy_project, start_development

pytestmark = pytest.mark.thorough

PASSWORD = "a quiet horse counts 42 stars"
MAIL_WITHIN_SECONDS = 60


@pytest.fixture(scope="module")
def development_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevelopmentSite]:
    """Yield a site in a fresh copy of the project, with its own queue and worker."""
    with start_development(copy_project(tmp_path_factory.mktemp("journey") / "project")) as site:
        yield site
    # pytest shows this next to a failure.
    print(site.text)  # noqa: T201


@pytest.fixture
def enter(browser: Browser, development_site: DevelopmentSite) -> Iterator[Callable[[], Page]]:
    """Yield a function that opens a new browser; the test fails on unexpected console messages and requests."""
    visits, visitors = [], []

    def open_window() -> Page:
        visit = Visitor.at(browser, development_site.address)
        visits.append(visit)
        visitors.append(visit.__enter__())
        return visitors[-1].page

    yield open_window
    for visit in visits:
        visit.__exit__(None, None, None)
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


def test_a_stranger_joins_and_an_administrator_invites_a_friend(enter, development_site):
    address = development_site.address

    stranger = enter()
    register(stranger, address, "Ada", "Lovelace", "ada@example.org")
    open_mailed_link(stranger, address, "ada@example.org", "/account/confirm-account/")
    press(stranger, "Continue")
    log_in_if_asked(stranger, address, "ada@example.org", PASSWORD)
    stranger.goto(address + "/")
    expect(stranger.locator("body")).to_contain_text("Ada Lovelace")

    administrator = enter()
    log_in(administrator, address, *development_site.administrator)
    administrator.goto(address + "/admin/invite-user")
    fill(administrator, first_name="Grace", last_name="Hopper", email="grace@example.org")
    press(administrator, "Send invitation")
    expect(administrator.locator("body")).to_contain_text("grace@example.org")

    friend = enter()
    open_mailed_link(friend, address, "grace@example.org", "/account/join-from-invite/")
    fill(friend, password=PASSWORD, password2=PASSWORD)
    friend.get_by_label("I agree").check()
    press(friend, "Join")
    friend.goto(address + "/account/manage")
    expect(friend.locator("main")).to_contain_text("Grace Hopper")


def test_a_newcomer_logs_in_with_the_provider_that_comes_along(browser, development_site):
    with Visitor.at(browser, development_site.address) as visitor:
        page, visitor.partners = visitor.page, ("http://localhost:",)
        visitor.open("/account/login")
        press(page, "Log in with Example")
        page.get_by_role("button", name="Ada Lovelace").click()
        page.get_by_label("I agree").check()
        press(page, "Register")
        expect(page.locator("body")).to_contain_text("You are now logged in")
        assert visitor.complaints == []


def test_the_box_tells_where_everything_is(enter, development_site):
    page = enter()

    assert page.goto(development_site.address + "/").ok
    assert page.goto(development_site.address + "/dev/mailbox").ok
    assert Path(development_site.folder / ".env").stat().st_mode & 0o777 == 0o600


def register(page: Page, address: str, first_name: str, last_name: str, email: str) -> None:
    page.goto(address + "/account/register")
    fill(page, first_name=first_name, last_name=last_name, email=email, password=PASSWORD, password2=PASSWORD)
    page.get_by_label("I agree").check()
    press(page, "Register")
    expect(page).not_to_have_url(address + "/account/register")


def log_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(address + "/account/login")
    fill(page, email=email, password=password)
    press(page, "Log in")
    expect(page).not_to_have_url(address + "/account/login")


def log_in_if_asked(page: Page, address: str, email: str, password: str) -> None:
    """Log in if the page asks for it: a mailed link need not log anybody in."""
    page.goto(address + "/account/manage")
    if "/account/login" in page.url:
        log_in(page, address, email, password)


def open_mailed_link(page: Page, address: str, recipient: str, path: str) -> None:
    """Wait for the email in the mailbox, and follow the link in its text."""
    page.goto(address + "/dev/mailbox")
    row = page.locator("tr", has_text=recipient).first
    # The list shows new emails without a reload.
    row.wait_for(timeout=MAIL_WITHIN_SECONDS * 1000)
    row.locator("a").first.click()
    link = page.locator(f"pre a[href*='{path}']").first
    assert link.get_attribute("href").startswith(address)
    link.click()
    page.wait_for_url(f"**{path}**" if "join" not in path else "**/account/**")


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"main [name={name}]").fill(value)


def press(page: Page, label: str) -> None:
    """Press the form's button after the strength meter has its response: leaving earlier would cancel its request."""
    page.wait_for_load_state("networkidle")
    page.locator("main").get_by_role("button", name=label).first.click()
