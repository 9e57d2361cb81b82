"""The proof of work in a real browser: solved while somebody types, waited for, renewed, and done without."""

import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser, Page, Route, expect

from app.models import User
from app.proof_of_work import NOT_SOLVED
from tests.browser.audit import problems
from tests.browser.test_budgets import built_files
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.thorough

STRONG = "nanosecond wire in hand"
ADDRESS = "grace@example.org"
# Another origin than localhost: browsers have no WebCrypto there.
INSECURE = "http://lan.example"


@pytest.fixture(autouse=True)
def _always(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PROOF_OF_WORK", "always")


def fill(page: Page) -> None:
    for label, value in (("First name", "Grace"), ("Last name", "Hopper"), ("Email", ADDRESS)):
        page.get_by_label(label).fill(value)
    for label in ("Password", "Confirm password"):
        page.get_by_label(label, exact=True).fill(STRONG)


def press(page: Page) -> None:
    page.locator("main").get_by_role("button", name="Register").click()


def test_the_task_is_solved_before_somebody_has_typed(visitor: Visitor, db: SQLAlchemy) -> None:
    page = visitor.page
    visitor.open("/account/register")
    expect(page.get_by_role("status").filter(has_text="Keeping robots out: done.")).to_be_visible()
    assert problems(page) == []
    fill(page)
    press(page)
    page.wait_for_url("**/account/unconfirmed")
    assert User.with_email(ADDRESS)


def test_a_form_that_is_sent_at_once_waits_and_then_goes(
    app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PROOF_OF_WORK_COST", 20_000)
    page, sent = visitor.page, list[str]()
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    # The worker comes late, as on a slow line.
    page.route("**/proof_worker*", lambda route: waiting.append(route))
    waiting: list[Route] = []
    visitor.open("/account/register")
    fill(page)
    press(page)
    expect(page.get_by_role("status").filter(has_text="One moment")).to_be_visible()
    press(page)
    assert not [url for url in sent if url.endswith("/register")]
    waiting[0].continue_()
    page.wait_for_url("**/account/unconfirmed")
    assert len([url for url in sent if url.endswith("/register")]) == 1


def test_a_form_that_stood_open_for_long_gets_a_new_task(browser: Browser, site: str, app: Flask) -> None:
    # In a profile of its own: the clock stays set for all windows of a profile.
    with Visitor.at(browser, site) as visitor:
        page = visitor.page
        visitor.open("/account/register")
        expect(page.get_by_text("Keeping robots out: done.")).to_be_visible()
        first = page.locator("[name=proof]").input_value()
        fill(page)
        later = app.config["PROOF_OF_WORK_LIFETIME"] + timedelta(seconds=1)
        page.clock.set_fixed_time(page.evaluate("Date.now()") + later.total_seconds() * 1000)
        with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("register")) as sent:
            press(page)
        page.wait_for_url("**/account/unconfirmed")
        assert sent.value.post_data
        assert first[:200] not in sent.value.post_data


def test_without_web_crypto_the_form_is_sent_without_a_proof(browser: Browser, site: str) -> None:
    with Visitor.at(browser, INSECURE) as visitor:
        visitor.context.route(f"{INSECURE}/**", lambda route: _from(site, route))
        visitor.open("/account/register")
        assert not visitor.page.evaluate("window.isSecureContext")
        fill(visitor.page)
        press(visitor.page)
        expect(visitor.page.get_by_text(NOT_SOLVED)).to_be_visible()
        # What is still being fetched would fail in the next test.
        visitor.context.unroute_all(behavior="ignoreErrors")


def _from(site: str, route: Route) -> None:
    route.fulfill(response=route.fetch(url=route.request.url.replace(INSECURE, site)))


def test_without_scripts_the_form_says_what_it_needs(browser: Browser, site: str) -> None:
    with Visitor.at(browser, site, java_script_enabled=False) as visitor:
        visitor.open("/account/register")
        expect(visitor.page.get_by_text("allow JavaScript for this site")).to_be_visible()
        fill(visitor.page)
        press(visitor.page)
        expect(visitor.page.get_by_text(NOT_SOLVED)).to_be_visible()
        assert visitor.page.get_by_label("Email").input_value() == ADDRESS


def test_without_the_worker_the_form_is_sent_without_a_proof(visitor: Visitor) -> None:
    visitor.page.route("**/proof_worker*", lambda route: route.abort())
    visitor.open("/account/register")
    fill(visitor.page)
    press(visitor.page)
    expect(visitor.page.get_by_text(NOT_SOLVED)).to_be_visible()
    visitor.complaints.clear()  # of the worker that did not load


def test_the_scripts_are_small(app: Flask, static_folder: Path) -> None:
    files = {path.name.partition(".")[0]: path for path in built_files(static_folder)}
    assert files["proof_worker"].stat().st_size <= 1024
    assert sum(len(gzip.compress(files[name].read_bytes())) for name in ("proof", "proof_worker")) <= 1536
