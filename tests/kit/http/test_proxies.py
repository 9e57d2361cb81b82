"""Tests for trusted proxies and for https only, in applications configured as in production."""

import os

import pytest
from flask import Flask, jsonify, request
from werkzeug.test import TestResponse

from app.kit.http import proxies, security_headers
from config import Decisions

SPOOFED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=203.0.113.9;proto=https;host=evil.example",
    "X-Real-IP": "203.0.113.9",
    "X-Original-URL": "/evil",
}


def site(proxy_count: int = 0, ssl_disable: bool = True) -> Flask:
    app = Flask(__name__)
    app.config.from_object(Decisions)
    app.config.update(PROXY_COUNT=proxy_count, SSL_DISABLE=ssl_disable, TRUSTED_HOSTS=["localhost"])
    app.config["STRICT_TRANSPORT_SECURITY"] = "max-age=86400"
    proxies.init_app(app)
    security_headers.init_app(app)
    app.add_url_rule("/up", "up", lambda: "up")
    app.add_url_rule("/", "seen", lambda: jsonify(ip=request.remote_addr, url=request.url, root=request.script_root))
    return app


def visit(app: Flask, path: str = "/", **headers: str) -> TestResponse:
    return app.test_client().get(path, headers=headers, environ_overrides={"REMOTE_ADDR": "198.51.100.7"})


def test_without_a_proxy_forwarded_headers_are_a_strangers_word() -> None:
    seen = visit(site(), **SPOOFED).json
    assert seen == {"ip": "198.51.100.7", "url": "http://localhost/", "root": ""}


@pytest.mark.parametrize(
    ("count", "chain", "ip"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "spoofed, 203.0.113.9", "203.0.113.9"),
        (2, "spoofed, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "198.51.100.7"),
    ],
)
def test_each_proxy_is_believed_about_one_address(count: int, chain: str, ip: str) -> None:
    seen = visit(site(count), **{**SPOOFED, "X-Forwarded-For": chain}).json
    assert seen == {"ip": ip, "url": "https://localhost/", "root": ""}


def test_http_is_led_to_https_and_https_stays() -> None:
    app = site(proxy_count=1, ssl_disable=False)
    led = visit(app, "/?a=1")
    assert (led.status_code, led.location) == (308, "https://localhost/?a=1")
    served = visit(app, **{"X-Forwarded-Proto": "https"})
    assert served.status_code == 200
    assert served.headers["Strict-Transport-Security"] == "max-age=86400"
    assert visit(app, "/up").status_code == 200, "platforms ask from inside"
    assert visit(app, Host="evil.example").status_code == 400, "no redirect to a host of somebody's choice"


def test_only_the_health_checks_answer_on_http() -> None:
    app = site(ssl_disable=False)
    app.add_url_rule("/upload", "upload", lambda: "upload")
    assert visit(app, "/upload").status_code == 308
    assert visit(app, "/up/ready").status_code == 404, "served, were there such a page"


@pytest.mark.parametrize("host", ["10.0.3.7:8000", "web", "evil.example", "[::1]:8000", "no host at all", ""])
def test_the_health_checks_answer_any_host_and_nothing_else_does(host: str) -> None:
    app = site(ssl_disable=False)
    assert visit(app, "/up", Host=host).status_code == 200, "proxies and load balancers ask by address"
    assert visit(app, "/up/", Host=host).status_code == 400
    assert visit(app, "/", Host=host).status_code == 400


def test_plain_http_promises_no_https() -> None:
    answer = visit(site())
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(("name", "count", "https"), [("production", 0, True), ("heroku", 1, True)])
def test_production_defaults(name: str, count: int, https: bool) -> None:
    from config import config

    variables = {
        "SECRET_KEY": "k" * 48,
        "DATA_KEYS": "d" * 48,
        "BASE_URL": "https://example.com",
        "MAIL_SERVER": "mail.example.com",
        "REDIS_URL": "redis://localhost:6379/0",
        "DATABASE_URL": "postgresql://localhost/site",
    }
    settings = config[name]({**{key: "" for key in os.environ if key in variables}, **variables})
    assert (settings.PROXY_COUNT, not settings.SSL_DISABLE) == (count, https)
    assert settings.TRUSTED_HOSTS == ["example.com"]
    assert settings.SESSION_COOKIE_NAME == "__Host-session"
    assert settings.SESSION_COOKIE_SECURE
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
    assert settings.RATELIMIT_STORAGE_URI.startswith("redis:")
