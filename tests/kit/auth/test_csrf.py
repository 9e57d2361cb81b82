"""Tests for CSRF tokens: required for every POST, and masked differently each time."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf, validate_csrf

from app.kit.auth.csrf import MaskedCSRFProtect, mask, masked_csrf_token, unmask
from tests.separate_requests import SeparateRequests

FORM = '<input name="csrf_token" value="{{ csrf_token() }}">'
UNSAFE = ["POST", "PUT", "PATCH", "DELETE"]
MADE_UP = ["", "x", "!!!!", "YQ", "YWFhYQ==", "é", "\x00", "\ud800", "A" * 10_000, "\u202e", "a\r\nb: c"]


@pytest.fixture
def client(bare_app: Flask) -> Iterator[FlaskClient]:
    """Return a client of a site with a form."""
    bare_app.config["WTF_CSRF_TIME_LIMIT"] = None
    MaskedCSRFProtect().init_app(bare_app)
    bare_app.add_url_rule("/form", view_func=lambda: bare_app.jinja_env.from_string(FORM).render(), endpoint="form")
    bare_app.add_url_rule(
        "/save", view_func=lambda: "saved", methods=["POST", "PUT", "PATCH", "DELETE"], endpoint="save"
    )
    return bare_app.test_client()


def token_on_page(client: FlaskClient) -> str:
    found = re.search(r'value="([^"]+)"', client.get("/form").text)
    assert found
    return found.group(1)


def test_masking_and_unmasking_give_the_token_back_and_never_look_alike(bare_app: Flask) -> None:
    with bare_app.test_request_context():
        token = generate_csrf()
    masked = {mask(token) for _ in range(20)}
    assert len(masked) == 20
    assert {unmask(text) for text in masked} == {token}
    # BREACH guesses what is the same on each page: no four characters may stay in the same place.
    columns = zip(*masked, strict=True)
    assert sum(len(set(column)) == 1 for column in columns) < 4


@pytest.mark.parametrize("method", UNSAFE)
def test_the_token_of_any_page_of_this_browser_passes(client: FlaskClient, method: str) -> None:
    first, second = token_on_page(client), token_on_page(client)
    assert first != second
    for token in (first, second):
        assert client.open("/save", method=method, data={"csrf_token": token}).text == "saved"
        assert client.open("/save", method=method, headers={"X-CSRFToken": token}).text == "saved"


@pytest.mark.parametrize("method", UNSAFE)
def test_nothing_else_passes(bare_app: Flask, client: FlaskClient, method: str) -> None:
    strangers_token = token_on_page(bare_app.test_client())
    token_on_page(client)
    assert client.open("/save", method=method).status_code == 400
    assert client.open("/save", method=method, data={"csrf_token": strangers_token}).status_code == 400


@pytest.mark.parametrize("text", MADE_UP)
def test_a_made_up_token_is_refused_without_an_error(client: FlaskClient, text: str) -> None:
    good = token_on_page(client)
    assert unmask(text) != unmask(good)
    data = {"csrf_token": text.encode("utf-8", "surrogatepass")}
    assert client.post("/save", data=data).status_code == 400
    assert client.post("/save", data={"csrf_token": good[:-4]}).status_code == 400


def test_the_token_as_flask_wtf_writes_it_is_refused(client: FlaskClient) -> None:
    """Unmasked, it is the constant value that BREACH could guess."""
    with client:
        client.get("/form")
        assert session["csrf_token"]
        plain = generate_csrf()
    assert client.post("/save", data={"csrf_token": plain}).status_code == 400


def test_a_form_that_stood_open_while_the_key_was_rotated_still_works(bare_app: Flask) -> None:
    def site(key: str, fallbacks: list[str]) -> FlaskClient:
        app = Flask("rotated")
        app.test_client_class = SeparateRequests
        app.config.update(bare_app.config, SECRET_KEY=key, SECRET_KEY_FALLBACKS=fallbacks, WTF_CSRF_TIME_LIMIT=None)
        MaskedCSRFProtect().init_app(app)
        app.add_url_rule("/form", view_func=lambda: app.jinja_env.from_string(FORM).render(), endpoint="form")
        app.add_url_rule("/save", view_func=lambda: "saved", methods=["POST"], endpoint="save")
        return app.test_client()

    before, after, later = site("a" * 40, []), site("b" * 40, ["a" * 40]), site("b" * 40, [])
    token = token_on_page(before)
    for browser, status in ((after, 200), (later, 400)):
        browser.set_cookie("session", before.get_cookie("session").value)
        assert browser.post("/save", data={"csrf_token": token}).status_code == status


@pytest.mark.parametrize("key", ["c" * 40, ["b" * 40, "c" * 40]])
def test_a_site_may_sign_its_forms_with_a_key_of_their_own(bare_app: Flask, key: str | list[str]) -> None:
    bare_app.config["WTF_CSRF_SECRET_KEY"] = key
    MaskedCSRFProtect().init_app(bare_app)
    with bare_app.test_request_context():
        validate_csrf(unmask(masked_csrf_token()), secret_key="c" * 40)
