"""Tests for error reports: off by default, refused without their package, and free of personal data."""

import gzip
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import brotli
import pytest
from flask import Flask, request

from app.kit.core import error_tracking
from app.kit.core.environment import ConfigError
from app.kit.core.error_tracking import without_secrets

DECOMPRESS = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}


def site(dsn: str) -> Flask:
    app = Flask(__name__)
    app.config.update(SENTRY_DSN=dsn, NAME="testing", SECRET_KEY="x")
    error_tracking.init_app(app)
    return app


def test_nothing_happens_without_an_address() -> None:
    site("")


def test_without_the_package_the_start_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(ConfigError, match=r"SENTRY_DSN: .* requirements/sentry.txt"):
        site("https://key@sentry.example/1")


def test_a_report_loses_what_opens_a_door() -> None:
    event = {
        "transaction": "/account/confirm-account/<token>",
        "request": {"method": "GET", "url": "https://x/canary", "headers": {"Cookie": "canary"}, "data": "canary"},
        "breadcrumbs": {"values": [{"message": "canary"}]},
    }
    report = without_secrets(event)
    assert "canary" not in str(report)
    assert report["request"] == {"method": "GET"}
    assert report["transaction"] == event["transaction"]


@pytest.fixture
def reports() -> Iterator[tuple[int, list[bytes]]]:
    """Yield a server that implements just enough of Sentry's protocol."""
    received: list[bytes] = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(DECOMPRESS[self.headers.get("Content-Encoding")](body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port, received
        server.shutdown()


def test_an_unexpected_error_is_reported_without_personal_data(reports: tuple[int, list[bytes]]) -> None:
    import sentry_sdk

    port, received = reports
    app = site(f"http://key@127.0.0.1:{port}/1")

    @app.post("/break/<token>")
    def break_down(token: str) -> str:
        password = request.form["password"]
        raise RuntimeError(f"broke with {len(token) + len(password)}")

    # A report quotes source lines, these included, so no secret is written in one piece in them.
    cookie, token, query, password = (f"canary-{part}" for part in ("cookie", "token", "query", "password"))
    headers = {"Cookie": f"session={cookie}", "X-Forwarded-For": "203.0." + "113.9"}
    app.test_client().post(f"/break/{token}?x={query}", data={"password": password}, headers=headers)
    sentry_sdk.flush(timeout=2)
    # Without this it would record every statement and request of the tests that follow. init() does not end it.
    sentry_sdk.get_global_scope().set_client(None)
    report = b"".join(received).decode()
    assert "RuntimeError" in report
    assert "break_down" in report
    assert [canary for canary in (cookie, token, query, password, "203.0." + "113.9") if canary in report] == []
