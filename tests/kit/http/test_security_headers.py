"""Tests for the content security policy, and for extending it on one page."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kit.http.security_headers import allow_source, content_security_policy
from tests.factories import make_admin, sign_in


def every_path(app: Flask) -> list[str]:
    rules = [rule.rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
    return [*rules, "/no/such/page", "/account/logout", "/static/no-such-file.css", "/account/confirm-account/x"]


def directives(policy: str) -> dict[str, str]:
    return {part.split()[0]: " ".join(part.split()[1:]) for part in policy.split(";")}


def test_pages_have_no_inline_script_or_style_without_the_nonce(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_admin())
    for path in every_path(app):
        answer = client.get(path)
        if answer.mimetype == "text/html":
            nonces = set(re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"]))
            for tag in re.findall(r"<(?:script|style)\b[^>]*>", answer.text):
                nonce = re.search(r'nonce="([^"]+)"', tag)
                assert "src=" in tag or (nonce and nonce.group(1) in nonces), f"{path}: {tag}"
            assert not re.search(r"<[a-z][^>]*\son[a-z]+=", answer.text), f"{path}: an inline handler"
            assert not re.search(r"<[a-z][^>]*\sstyle=", answer.text), f"{path}: an inline style"
        answer.close()


def test_each_response_has_a_nonce_of_its_own(client: FlaskClient) -> None:
    policies = {client.get("/account/login").headers["Content-Security-Policy"] for _ in range(5)}
    assert len(policies) in {1, 5}
    assert all("nonce" not in policy for policy in policies) is (len(policies) == 1)


def test_private_pages_are_kept_nowhere(client: FlaskClient) -> None:
    assert client.get("/").headers.get("Cache-Control") != "no-store"
    sign_in(client, make_admin())
    for path in ("/", "/account/manage", "/account/sessions", "/admin/"):
        assert client.get(path).headers["Cache-Control"] == "no-store", path


def test_one_page_may_open_one_source(app: Flask) -> None:
    with app.test_request_context("/"):
        allow_source("img-src", "https://cdn.example")
        policy = directives(content_security_policy())
        assert "https://cdn.example" in policy["img-src"]
        assert "cdn" not in policy["script-src"]
    with app.test_request_context("/"):
        assert "cdn.example" not in content_security_policy()


@pytest.mark.parametrize("source", ["https://a.example; script-src *", "a b", "x\r\nX: y", "https://a.example,b"])
def test_a_source_cannot_smuggle_a_directive(app: Flask, source: str) -> None:
    with app.test_request_context("/"), pytest.raises(ValueError, match="directive"):
        allow_source("img-src", source)


def test_cookies_are_for_this_site_alone(client: FlaskClient) -> None:
    sign_in(client, make_admin())
    cookie = client.get_cookie("session")
    assert cookie.http_only
    assert cookie.same_site == "Lax"
