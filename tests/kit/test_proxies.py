"""Whose word counts for a visitor's address and scheme, and who is led to https."""

import pytest
from flask import Flask, request

from app.kit import proxies

SPOOFED = {"X-Forwarded-For": "203.0.113.66", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


def site(bare_app: Flask, proxy_count: int, ssl_disable: bool = True) -> Flask:
    bare_app.config.update(PROXY_COUNT=proxy_count, SSL_DISABLE=ssl_disable)
    proxies.init_app(bare_app)
    for path in ("/", "/up", "/up/ready", "/upload"):
        view = lambda: {"ip": request.remote_addr, "secure": request.is_secure, "host": request.host}  # noqa: E731
        bare_app.add_url_rule(path, view_func=view, endpoint=path, methods=["GET", "POST"])
    return bare_app


def test_without_a_proxy_nobody_may_say_whose_request_it_is(bare_app: Flask) -> None:
    seen = site(bare_app, 0).test_client().get("/", headers=SPOOFED).json
    assert seen == {"ip": "127.0.0.1", "secure": False, "host": "localhost"}


def test_behind_one_proxy_only_its_own_word_counts(bare_app: Flask) -> None:
    client = site(bare_app, 1).test_client()
    headers = {**SPOOFED, "X-Forwarded-For": "203.0.113.66, 198.51.100.7"}
    assert client.get("/", headers=headers).json == {"ip": "198.51.100.7", "secure": True, "host": "localhost"}
    assert client.get("/").json["ip"] == "127.0.0.1"


def test_behind_two_the_nearest_says_whether_it_was_https(bare_app: Flask) -> None:
    """Each appends an address; the scheme is set anew, so there is but one."""
    client = site(bare_app, 2).test_client()
    headers = {"X-Forwarded-For": "203.0.113.66, 198.51.100.7, 192.0.2.1", "X-Forwarded-Proto": "https"}
    assert client.get("/", headers=headers).json == {"ip": "198.51.100.7", "secure": True, "host": "localhost"}


def test_http_is_led_to_https_with_path_and_method_kept(bare_app: Flask) -> None:
    client = site(bare_app, 1, ssl_disable=False).test_client()
    answer = client.post("/?a=http://b")
    assert (answer.status_code, answer.location) == (308, "https://localhost/?a=http://b")
    assert client.get("/", headers={"X-Forwarded-Proto": "https"}).status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/up", 200), ("/up/ready", 200), ("/upload", 308)])
def test_only_the_health_checks_answer_on_http(bare_app: Flask, path: str, status: int) -> None:
    assert site(bare_app, 0, ssl_disable=False).test_client().get(path).status_code == status


def test_a_spoofed_scheme_does_not_pass_for_https(bare_app: Flask) -> None:
    assert site(bare_app, 0, ssl_disable=False).test_client().get("/", headers=SPOOFED).status_code == 308
