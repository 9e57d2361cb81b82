"""Agreeing to the terms in a real browser, when somebody joins and in the middle of a change."""

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import expect

from app.models import Consent
from tests.browser.audit import problems
from tests.browser.people import People, cookie_of_session
from tests.browser.visitor import Visitor
from tests.factories import make_user

pytestmark = pytest.mark.thorough


def test_reading_the_terms_loses_nothing_that_was_typed(visitor: Visitor, people: People) -> None:
    visitor.open("/account/register")
    visitor.page.get_by_label("Email").fill("grace@example.org")
    with visitor.context.expect_page() as opened:
        visitor.page.get_by_role("link", name="Terms").click()
    expect(opened.value.get_by_text("Be kind.")).to_be_visible()
    box = visitor.page.get_by_label("I agree")
    expect(box).not_to_be_checked()
    box.press("Space")
    expect(box).to_be_checked()
    assert visitor.page.get_by_label("Email").input_value() == "grace@example.org"


def test_a_change_goes_on_after_agreeing(visitor: Visitor, people: People, app: Flask, db: SQLAlchemy) -> None:
    page = visitor.page
    people.page.asks_again = True
    user = make_user()
    visitor.become(cookie_of_session(app, user))
    visitor.open("/account/manage/profile")
    page.get_by_label("Name that others see").fill("Countess")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_role("heading", name="Our terms have changed")).to_be_visible()
    assert problems(page) == []
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Agree and continue").click()
    expect(page.get_by_label("Name that others see")).to_have_value("Countess")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_text("profile is saved")).to_be_visible()
    assert [consent.how for consent in Consent.of(user)] == ["asked again"]
