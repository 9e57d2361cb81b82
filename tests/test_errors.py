"""Tests for the error pages, which need no database."""

import html
import logging

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy import event

from app import create_app
from app.access import ANYONE, access
from app.errors import CSRF_PAGE, PAGES, ErrorPage
from app.kit.auth.passwords import TooManyHashesError


@pytest.fixture(scope="module")
def broken_app(app: Flask) -> Flask:
    """Return an application whose pages fail on demand: /fail/<status>."""
    application = create_app("testing")
    application.config["PROPAGATE_EXCEPTIONS"] = False

    @application.get("/fail/<int:status>")
    @access(ANYONE)
    def fail(status: int) -> None:
        if status == 500:
            raise ZeroDivisionError("a secret detail")
        abort(status)

    @application.get("/busy")
    @access(ANYONE)
    def busy() -> None:
        raise TooManyHashesError

    return application


@pytest.mark.parametrize(("status", "page"), PAGES.items())
def test_each_error_has_a_page_with_a_way_on(broken_app: Flask, status: int, page: ErrorPage) -> None:
    response = broken_app.test_client().get(f"/fail/{status}")
    text = html.unescape(response.text)
    assert response.status_code == status
    assert page.title in text
    assert page.text in text
    assert "Go to the home page" in text
    assert response.headers["X-Request-ID"] in text
    assert "a secret detail" not in text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("status", [404, 500, 503])
def test_no_error_page_asks_the_database_even_for_a_browser_with_a_session(broken_app: Flask, status: int) -> None:
    client = broken_app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "a-token-of-somebody"
    statements = []
    with broken_app.app_context():
        engine = broken_app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    client.get(f"/fail/{status}")
    assert statements == []


def test_an_unexpected_error_is_logged_with_the_number_on_the_page(
    broken_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = broken_app.test_client().get("/fail/500")
    assert "ZeroDivisionError" in caplog.text
    assert response.headers["X-Request-ID"] in response.text


def test_too_many_hashes_at_once_ask_to_come_back(broken_app: Flask) -> None:
    response = broken_app.test_client().get("/busy")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    response = client.get("/account/logout")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_an_error_without_a_page_of_its_own_still_looks_like_the_site(broken_app: Flask) -> None:
    response = broken_app.test_client().get("/fail/418")
    assert response.status_code == 418
    assert "site-header" in response.text


def test_a_failed_csrf_check_explains_and_leads_back(csrf_app: Flask) -> None:
    client = csrf_app.test_client()
    response = client.post(
        "/account/login", data={"email": "a@example.com"}, headers={"Referer": "http://localhost/account/login?next=/x"}
    )
    assert response.status_code == 400
    assert CSRF_PAGE.title in response.text
    assert 'href="/account/login?next=/x"' in response.text


def test_the_way_back_never_leaves_the_site(csrf_app: Flask) -> None:
    client = csrf_app.test_client()
    response = client.post("/account/login", headers={"Referer": "https://evil.example/x"})
    assert "evil.example" not in response.text
    assert 'href="/account/login"' in response.text


def test_redirects_are_no_errors(client: FlaskClient) -> None:
    assert client.get("/admin").status_code == 308


def test_every_status_the_kit_answers_has_a_page() -> None:
    assert set(PAGES) == {400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503}
    assert all(page.title and page.text for page in PAGES.values())
