"""Tests for the breach check: it sends five hex digits of the hash, and an outage never blocks anybody."""

import hashlib
import http.client
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from flask.testing import FlaskClient

from app.kit.auth.breach_check import is_breached

STOLEN, PADDED, UNKNOWN = "password", "padding row", "nobody has this one"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


class Service(BaseHTTPRequestHandler):
    """Responds as the range API does, or with the fault in ``behavior``."""

    behavior = "well"
    asked: ClassVar[list[tuple[str, str | None]]] = []
    port: ClassVar[int]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Add-Padding")))
        if self.behavior == "slow":
            time.sleep(0.5)
        body = {"garbage": b"<html>", "binary": b"\xff\xfe"}.get(self.behavior, rows())
        self.send_response(503 if self.behavior == "ill" else 200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Log nothing."""


def rows() -> bytes:
    return f"{digest(STOLEN)[5:]}:42\r\n{digest(PADDED)[5:]}:0\r\n".encode()


@pytest.fixture
def service() -> Iterator[type[Service]]:
    """Yield a breach service on this machine."""
    server = HTTPServer(("127.0.0.1", 0), Service)
    Service.behavior, Service.asked, Service.port = "well", [], server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Service
    server.shutdown()
    thread.join()
    server.server_close()


def ask(password: str, service: type[Service]) -> bool:
    connection = http.client.HTTPConnection(
        "127.0.0.1", service.port, timeout=0.2 if service.behavior == "slow" else 60
    )
    return is_breached(password, connection)


def test_a_stolen_password_is_known_and_others_are_not(service: type[Service]) -> None:
    assert ask(STOLEN, service)
    assert not ask(UNKNOWN, service)
    assert not ask(PADDED, service), "a padding row has the count 0"
    assert not ask("\ud800", service)


def test_only_five_digits_are_told_and_padding_is_asked_for(service: type[Service]) -> None:
    ask(STOLEN, service)
    assert service.asked == [(f"/range/{digest(STOLEN)[:5]}", "true")]


@pytest.mark.parametrize("behavior", ["slow", "ill", "garbage", "binary"])
def test_a_service_that_fails_stops_nobody(
    service: type[Service], behavior: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.behavior = behavior
    assert not ask(STOLEN, service)
    assert "did not answer" in caplog.text


def test_a_service_that_is_away_stops_nobody() -> None:
    assert not is_breached(STOLEN, http.client.HTTPConnection("127.0.0.1", 1, timeout=0.2))


def test_a_form_asks_only_when_it_is_switched_on(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.kit.forms.fields.is_breached", lambda _password: True)
    person = {"first_name": "G", "last_name": "H", "email": "g@example.org"}
    form = {**person, "password": "nanosecond wire in hand", "password2": "differs, so that nothing is stored"}
    assert "stolen" not in client.post("/account/register", data=form).text
    monkeypatch.setitem(client.application.config, "PASSWORD_BREACH_CHECK", True)
    assert "stolen" in client.post("/account/register", data=form).text
