"""The W3C's checker finds no error in the HTML of any page, for each kind of user and with form errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import default_exceptions
from werkzeug.test import TestResponse

from app.errors import PAGES
from tests.browser.nu_html_checker import expect_valid
from tests.browser.pages import WHO_LOOKS, Page, all_pages
from tests.browser.people import People
from tests.html_forms import forms_on

pytestmark = pytest.mark.thorough


@pytest.fixture
def pages(csrf_app: Flask, people: People) -> list[Page]:
    """Return every page, with somebody who can see it."""
    return all_pages(csrf_app, people)


def test_every_page_is_valid_for_everybody(app: Flask, people: People, pages: list[Page], tmp_path: Path) -> None:
    documents = {}
    for page in pages:
        for who in WHO_LOOKS:
            # Everybody else is redirected to a page that is checked anyway.
            answer = browser_of(app, people, who).get(page.path, follow_redirects=who == page.who)
            if answer.status_code == 200:
                documents[f"{page.endpoint} for {who}"] = answer.data
    expect_valid(documents, tmp_path)


def test_every_list_is_valid_without_a_match(app: Flask, people: People, pages: list[Page], tmp_path: Path) -> None:
    documents = {}
    for page in pages:
        joint = "&" if "?" in page.path else "?"
        answer = browser_of(app, people, page.who).get(f"{page.path}{joint}search=nobody%27s+name")
        if 'role="search"' in answer.text:
            documents[page.endpoint] = answer.data
    expect_valid(documents, tmp_path)


def test_every_form_is_valid_with_errors(app: Flask, people: People, pages: list[Page], tmp_path: Path) -> None:
    documents = {}
    # A form that is accepted may delete a user, so administrators go last.
    for page in sorted(pages, key=lambda page: WHO_LOOKS.index(page.who)):
        for number, answer in enumerate(refused_forms(browser_of(app, people, page.who), page), 1):
            documents[f"{page.endpoint}, form {number}"] = answer.data
    expect_valid(documents, tmp_path)


def test_every_error_page_is_valid(app: Flask, tmp_path: Path) -> None:
    documents = {}
    for error in [*(default_exceptions[status]() for status in PAGES), CSRFError()]:
        with app.test_request_context("/account/login"):
            app.preprocess_request()
            answer = app.make_response(app.handle_user_exception(error))
        documents[f"{error.code} {type(error).__name__}"] = answer.data
    expect_valid(documents, tmp_path)


def browser_of(app: Flask, people: People, who: str) -> FlaskClient:
    client = app.test_client()
    if cookie := people.cookies[who]:
        client.set_cookie("session", cookie)
    return client


def refused_forms(client: FlaskClient, page: Page) -> Iterator[TestResponse]:
    """Send each form with required fields empty; yield the responses that show errors."""
    shown = client.get(page.path, follow_redirects=True)
    for form in forms_on(shown.text):
        asked = {name for name, kind in form.types.items() if kind not in {"hidden", "submit"}}
        if asked and form.method == "POST":
            answer = client.post(form.action or shown.request.path, data={**form.values, **dict.fromkeys(asked, "")})
            if "aria-invalid" in answer.text:
                yield answer
