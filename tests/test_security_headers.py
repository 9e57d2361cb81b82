"""Tests for the security headers of every response, on http and https, of pages, files and errors."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from app import create_app
from app.access import ANYONE, access
from app.kit.auth.passwords import TooManyHashesError
from tests.factories import PASSWORD, make_admin, make_user, sign_in
from tests.separate_requests import SeparateRequests

HTTPS = "https://localhost"


@pytest.fixture
def https_app(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Yield the same site, configured for https."""
    monkeypatch.setenv("SSL_DISABLE", "false")
    secure = create_app("testing")
    secure.test_client_class = SeparateRequests
    yield secure
    with secure.app_context():
        secure.extensions["sqlalchemy"].engine.dispose()


def assert_safe(response: TestResponse) -> None:
    """Check the headers that every response must have."""
    headers, what = response.headers, f"{response.request.method} {response.request.path}"
    policy = headers.get("Content-Security-Policy", "")
    assert policy.startswith("default-src 'none'"), what
    assert "frame-ancestors 'none'" in policy or what.startswith("GET /dev/"), what
    assert "unsafe" not in policy, what
    assert "*" not in policy, what
    assert headers["X-Content-Type-Options"] == "nosniff", what
    assert headers["Referrer-Policy"] in {"strict-origin-when-cross-origin", "no-referrer"}, what
    for name in ("Permissions-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"):
        assert name in headers, what
    assert "Server" not in headers or "Werkzeug" not in headers["Server"], what
    assert "X-Powered-By" not in headers, what


def pages(app: Flask) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments:
            yield rule.rule


@pytest.mark.parametrize("person", ["stranger", "administrator"])
def test_every_page_carries_them(app: Flask, client: FlaskClient, person: str) -> None:
    if person == "administrator":
        sign_in(client, make_admin())
    opened = [client.get(path) for path in pages(app)]
    assert len(opened) > 25
    for response in opened:
        assert_safe(response)


def test_every_script_on_a_page_has_the_nonce_of_its_response(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_admin())
    scripts = 0
    for path in pages(app):
        response = client.get(path)
        if response.mimetype != "text/html":
            continue
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", response.text), path
        for attributes in re.findall(r"<script([^>]*)>", response.text):
            scripts += 1
            nonce = re.search(r'nonce="([^"]+)"', attributes)
            ours = re.search(r'src="/static/', attributes)
            assert ours or (nonce and nonce[1] in response.headers["Content-Security-Policy"]), path
    assert scripts > 20


def test_every_error_carries_them(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    client = app.test_client()
    answers = {
        404: client.get("/nowhere"),
        405: client.get("/account/logout"),
        413: client.post("/account/login", data={"email": "a" * (1024 * 1024)}),
        415: client.post("/account/login", json={}),
        **{status: failing(app, status, monkeypatch) for status in (500, 503)},
    }
    sign_in(client, make_user())
    answers[403] = client.get("/admin/")
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    answers[400] = client.post("/account/logout")
    for status, response in answers.items():
        assert response.status_code == status
        assert_safe(response)
        assert response.headers["Cache-Control"] == "no-store"


def failing(app: Flask, status: int, monkeypatch: pytest.MonkeyPatch) -> TestResponse:
    @access(ANYONE)
    def fail() -> str:
        raise RuntimeError if status == 500 else TooManyHashesError

    monkeypatch.setitem(app.view_functions, "main.about", fail)
    return app.test_client().get("/about")


def test_a_foreign_host_gets_them_too(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(app.config, "TRUSTED_HOSTS", ["localhost"])
    response = client.get("/", headers={"Host": "<evil>.example" + "a" * 500})
    assert response.status_code == 400
    assert response.mimetype == "text/plain"
    assert "'<evil>.example" in response.text
    assert "TRUSTED_HOSTS" in response.text
    assert "proxy_set_header Host" in response.text
    assert len(response.text) < 350
    assert [record.fields["host"][:15] for record in caplog.records if record.msg == "host refused"] == [
        "'<evil>.example"
    ]
    assert_safe(response)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_every_file_carries_them(client: FlaskClient, method: str) -> None:
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text)
    assert len(files) >= 2
    for path in files:
        assert_safe(client.open(path, method=method, buffered=True))


def test_what_is_made_for_one_person_is_kept_by_nobody(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, make_user())
    for path in ("/", "/account/manage", "/account/sessions"):
        assert client.get(path).headers["Cache-Control"] == "no-store"
    client = app.test_client()
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    assert "no-store" not in client.get("/").headers.get("Cache-Control", "")
    assert client.get("/account/login").headers["Cache-Control"] == "private"


def test_an_anonymous_page_sets_no_cookie(client: FlaskClient) -> None:
    for path in ("/", "/about", "/robots.txt", "/up"):
        assert "Set-Cookie" not in client.get(path).headers


def test_logging_out_clears_what_the_browser_kept(client: FlaskClient) -> None:
    sign_in(client, make_user())
    assert '"cache"' in client.post("/account/logout").headers["Clear-Site-Data"]


def cookies(headers: Headers) -> dict[str, set[str]]:
    """Return the cookies that a response sets, each with its attributes."""
    pairs = [cookie.partition("; ") for cookie in headers.getlist("Set-Cookie")]
    return {cookie.partition("=")[0]: set(attributes.split("; ")) for cookie, _, attributes in pairs}


def log_in(client: FlaskClient, address: str, base_url: str = "http://localhost") -> TestResponse:
    form = {"email": address, "password": PASSWORD, "remember_me": "y"}
    return client.post("/account/login", data=form, base_url=base_url)


def test_on_https_the_cookie_is_bound_to_this_host_and_to_https(https_app: Flask, db: SQLAlchemy) -> None:
    response = log_in(https_app.test_client(), make_user().email, HTTPS)
    sent = cookies(response.headers)
    assert set(sent) == {"__Host-session", "__Host-known_browser"}
    for attributes in sent.values():
        assert {"Secure", "HttpOnly", "Path=/"} <= attributes
        names = {attribute.partition("=")[0] for attribute in attributes}
        assert "Expires" in names
        assert "Domain" not in names
    assert "SameSite=Lax" in sent["__Host-session"]
    assert "SameSite=Strict" in sent["__Host-known_browser"]


def test_on_http_the_cookie_has_a_plain_name(client: FlaskClient) -> None:
    sent = cookies(log_in(client, make_user().email).headers)
    assert set(sent) == {"session", "known_browser"}
    for attributes in sent.values():
        assert "HttpOnly" in attributes
        assert "Secure" not in attributes


def test_a_cookie_of_http_logs_nobody_in_on_https(https_app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    sign_in(client, make_user())
    planted, browser = client.get_cookie("session"), https_app.test_client()
    assert planted is not None
    for name, status in (("session", 302), ("__Host-session", 200)):
        browser.set_cookie(name, planted.value, secure=True)
        assert browser.get("/account/manage", base_url=HTTPS).status_code == status


def test_https_is_asked_for_and_remembered(https_app: Flask, db: SQLAlchemy) -> None:
    client = https_app.test_client()
    led = client.get("/account/login?next=/admin/", base_url="http://localhost")
    assert (led.status_code, led.location) == (308, f"{HTTPS}/account/login?next=/admin/")
    assert_safe(led)
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/", base_url=HTTPS).text)
    for path in ("/", "/nowhere", files[0]):
        response = client.get(path, base_url=HTTPS, buffered=True)
        assert_safe(response)
        assert response.headers["Strict-Transport-Security"] == "max-age=86400"


def test_on_http_hsts_is_not_claimed(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/").headers
