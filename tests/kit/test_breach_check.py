"""The list of stolen passwords: asked with five digits, and never in the way."""

import hashlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Flask

from app.kit import form_fields
from app.kit.breach_check import is_breached

PASSWORD = "nanosecond wire in hand"
DIGEST = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()


class Service(BaseHTTPRequestHandler):
    answer = ""
    status = 200
    heard: list[tuple[str, str | None]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.heard.append((self.path, self.headers["Add-Padding"]))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.answer.encode())

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def service() -> Iterator[type[Service]]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        Service.port, Service.status, Service.answer = server.server_port, 200, ""
        Service.heard.clear()
        yield Service
        server.shutdown()


def asked(service: type[Service]) -> bool:
    return is_breached(PASSWORD, http.client.HTTPConnection("127.0.0.1", service.port, timeout=1))


@pytest.mark.parametrize(
    ("answer", "stolen"),
    [
        (f"{'0' * 35}:3\r\n{DIGEST[5:]}:17", True),
        (f"{'0' * 35}:3\r\n{DIGEST[5:]}:0", False),
        (f"{'0' * 35}:3", False),
        ("", False),
        ("<html>", False),
        (f"{DIGEST[5:]}:many", False),
    ],
)
def test_the_service_hears_five_digits_and_its_answer_counts(service: type[Service], answer: str, stolen: bool) -> None:
    service.answer = answer
    assert asked(service) is stolen
    assert service.heard == [(f"/range/{DIGEST[:5]}", "true")]


def test_a_failing_service_stops_nobody(service: type[Service]) -> None:
    service.status = 503
    assert not asked(service)
    assert not is_breached(PASSWORD, http.client.HTTPConnection("127.0.0.1", 1, timeout=1))


def test_a_silent_service_costs_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        assert not is_breached(PASSWORD, http.client.HTTPConnection(*silent.getsockname(), timeout=1))
    assert time.monotonic() - started < 1.5


def test_the_form_asks_only_when_it_is_switched_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_fields, "is_breached", lambda _: True)
    form = {"first_name": "G", "last_name": "H", "email": "g@example.org", "password": PASSWORD}
    client = app.test_client()
    form = {**form, "password2": "differs, so that nothing is stored"}
    assert b"stolen" not in client.post("/account/register", data=form).data
    monkeypatch.setitem(app.config, "PASSWORD_BREACH_CHECK", True)
    assert b"stolen" in client.post("/account/register", data=form).data
