"""What every response tells a browser, and what a single page may open."""

import pytest
from flask import Flask, abort, g, render_template_string

from app.kit import security_headers
from app.kit.security_headers import allow_source, content_security_policy, file_headers

PAGE = '<script nonce="{{ csp_nonce() }}"></script>'


@pytest.fixture
def site(bare_app: Flask) -> Flask:
    """A site with a page that has a script, one that has none, and one that fails."""
    security_headers.init_app(bare_app)
    bare_app.add_url_rule("/script", view_func=lambda: render_template_string(PAGE), endpoint="script")
    bare_app.add_url_rule("/plain", view_func=lambda: "plain", endpoint="plain")
    bare_app.add_url_rule("/gone", view_func=lambda: abort(410), endpoint="gone")
    return bare_app


def policy_of(site: Flask, path: str) -> str:
    with site.test_request_context(path):
        response = site.full_dispatch_request()
        for name in ("csp_nonce", "csp_sources"):
            g.pop(name, None)
    return response.headers["Content-Security-Policy"]


def test_everything_is_closed_that_no_line_opens(site: Flask) -> None:
    policy = policy_of(site, "/plain")
    for closed in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert closed in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "http" not in policy


def test_each_response_has_a_nonce_of_its_own_and_only_when_it_needs_one(site: Flask) -> None:
    first, second = policy_of(site, "/script"), policy_of(site, "/script")
    assert "'nonce-" in first
    assert first != second
    assert "nonce" not in policy_of(site, "/plain")


def test_the_nonce_on_the_page_is_the_one_in_the_header(site: Flask) -> None:
    response = site.test_client().get("/script")
    nonce = response.text.split('"')[1]
    assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]


def test_an_error_carries_the_headers_too(site: Flask) -> None:
    for path in ("/gone", "/nowhere"):
        headers = site.test_client().get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_opens_one_source_for_itself_alone(site: Flask) -> None:
    with site.test_request_context():
        allow_source("img-src", "https://images.example")
        allow_source("frame-src", "https://player.example")
        policy = content_security_policy()
        g.pop("csp_sources")
    assert "img-src 'self' data: https://images.example" in policy
    assert "frame-src https://player.example" in policy
    assert "example" not in policy_of(site, "/plain")


@pytest.mark.parametrize("source", ["https://a.example; script-src *", "a.example b.example", "a\r\nb", "a,b"])
def test_a_source_cannot_smuggle_in_another_directive(site: Flask, source: str) -> None:
    with site.test_request_context(), pytest.raises(ValueError, match="another one"):
        allow_source("img-src", source)


def test_hsts_is_said_on_https_only() -> None:
    assert "max-age=63072000" in file_headers(https=True)["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in file_headers(https=False)
