"""Tests for SMTP: the server's certificate is checked, time is limited, and failures are classified."""

import smtplib
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from flask import Flask

from app.kit.mail.message import Message
from app.kit.mail.smtp import Failure, SmtpTransport, classify
from tests.kit.conftest import send_to
from tests.servers.faulty_smtp import SmtpServer

MESSAGE = Message("site@example.com", "ada@example.com", b"Subject: Hello\r\n\r\nHello\r\n")


def send(transport: SmtpTransport | None = None, seconds: float = 60) -> None:
    carrier = transport or SmtpTransport()
    try:
        carrier.send(MESSAGE, deadline=time.monotonic() + seconds, name="1-1")
    finally:
        if transport is None:
            carrier.close()


def failure_of_sending(**options: float) -> Failure:
    with pytest.raises((smtplib.SMTPException, OSError)) as caught:
        send(**options)  # type: ignore[arg-type]
    return classify(caught.value)


@pytest.fixture(autouse=True)
def _in_the_app(app: Flask):  # type: ignore[no-untyped-def]
    with app.app_context():
        yield


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a self-signed certificate for 127.0.0.1, with its key in the same file."""
    folder = tmp_path_factory.mktemp("certificate")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run([*command.split(), *names], cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "certificate.pem").read_text())
    return both


@pytest.fixture
def encrypted(app: Flask, certificate: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Yield a mail server that requires STARTTLS and a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = SmtpServer(tls=context, credentials=("site", "secret")).start()
    login = {"MAIL_USERNAME": "site", "MAIL_PASSWORD": "secret"}
    send_to(server, app, monkeypatch, MAIL_USE_TLS=True, **login)
    yield server
    server.stop()


def test_a_message_arrives_as_it_was_sent(smtp: SmtpServer) -> None:
    send()
    assert smtp.accepted == [MESSAGE.content]


def test_one_connection_carries_many_messages(smtp: SmtpServer) -> None:
    transport = SmtpTransport()
    for _ in range(5):
        send(transport)
    transport.close()
    assert (len(smtp.accepted), smtp.connections) == (5, 2)  # one is made by aiosmtpd's controller when it starts


def test_a_connection_that_the_server_closed_is_opened_again(smtp: SmtpServer) -> None:
    transport = SmtpTransport()
    send(transport)
    smtp.stop()
    smtp.start()
    send(transport)
    transport.close()
    assert len(smtp.accepted) == 2


def test_a_certificate_that_nobody_vouches_for_is_refused(encrypted: SmtpServer) -> None:
    assert failure_of_sending() is Failure.SETTINGS
    assert encrypted.accepted == []


def test_a_trusted_certificate_and_the_right_password_are_let_in(
    encrypted: SmtpServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    send()
    assert len(encrypted.accepted) == 1


def test_a_certificate_for_another_name_is_refused(
    app: Flask, encrypted: SmtpServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setitem(app.config, "MAIL_SERVER", "localhost.localdomain")
    monkeypatch.setattr("socket.create_connection", _connect_to(encrypted.port))
    assert failure_of_sending() is Failure.SETTINGS


def _connect_to(port: int):  # type: ignore[no-untyped-def]
    import socket

    def connect(_address: object, timeout: float, *_others: object) -> socket.socket:
        sock = socket.socket()
        sock.settimeout(timeout)
        sock.connect(("127.0.0.1", port))
        return sock

    return connect


def test_a_wrong_password_is_a_matter_of_settings(
    app: Flask, encrypted: SmtpServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setitem(app.config, "MAIL_PASSWORD", "wrong")
    assert failure_of_sending() is Failure.SETTINGS


def test_a_server_without_encryption_gets_no_password(
    app: Flask, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAIL_USE_TLS", True)
    assert failure_of_sending() is Failure.SETTINGS
    assert smtp.accepted == []


def test_nobody_listens(smtp: SmtpServer) -> None:
    smtp.stop()
    assert failure_of_sending() is Failure.SERVER


def test_a_silent_server_is_left_after_the_timeout(
    app: Flask, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAIL_TIMEOUT", 1)
    smtp.behavior["mail"] = "stall"
    started_at = time.monotonic()
    assert failure_of_sending() is Failure.SERVER
    assert time.monotonic() - started_at < 10


def test_a_dripping_server_is_left_at_the_deadline(smtp: SmtpServer) -> None:
    smtp.behavior["connect"] = "drip"
    started_at = time.monotonic()
    assert failure_of_sending(seconds=1.5) is Failure.SERVER
    assert time.monotonic() - started_at < 10


@pytest.mark.parametrize(
    ("moment", "answer", "failure"),
    [
        ("connect", "421 too busy", Failure.SERVER),
        ("connect", "554 go away", Failure.SETTINGS),
        ("mail", "451 later", Failure.TEMPORARY),
        ("mail", "553 who are you?", Failure.SETTINGS),
        ("mail", "552 too big", Failure.PERMANENT),
        ("rcpt", "450 greylisted", Failure.TEMPORARY),
        ("rcpt", "421 too many", Failure.SERVER),
        ("rcpt", "550 no such user", Failure.PERMANENT),
        ("rcpt", "530 log in first", Failure.SETTINGS),
        ("data", "451 try again", Failure.TEMPORARY),
        ("data", "554 looks like spam", Failure.PERMANENT),
        ("data", "close", Failure.SERVER),
        ("after_data", "close", Failure.SERVER),
    ],
)
def test_each_answer_has_its_class(smtp: SmtpServer, moment: str, answer: str, failure: Failure) -> None:
    smtp.behavior[moment] = answer
    assert failure_of_sending() is failure


def test_what_is_no_fault_of_the_network_is_permanent() -> None:
    assert classify(ValueError("no such header")) is Failure.PERMANENT
