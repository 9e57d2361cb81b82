"""A mail server with faults, and the settings for it."""

from collections.abc import Iterator

import pytest
from flask import Flask

from config import Decisions
from tests.separate_requests import SeparateRequests
from tests.servers.faulty_smtp import SmtpServer

SMTP_SETTINGS = {
    "MAILBOX_DIR": None,
    "MAIL_SERVER": "127.0.0.1",
    "MAIL_USE_TLS": False,
    "MAIL_USE_SSL": False,
    "MAIL_USERNAME": None,
    "MAIL_PASSWORD": None,
    "MAIL_TIMEOUT": 30,
}

BARE_SETTINGS = {
    "TESTING": True,
    "APP_NAME": "Flask-Base",
    "SECRET_KEY": "k" * 40,
    "SECRET_KEY_FALLBACKS": [],
    "DATA_KEYS": ["d" * 40],
    "PASSWORD_MIN_LENGTH": 12,
    "ARGON2_TIME_COST": 1,
    "ARGON2_MEMORY_COST": 8,
    "PROXY_COUNT": 0,
    "SSL_DISABLE": True,
    "LOG_LEVEL": "INFO",
}


@pytest.fixture
def smtp(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """Yield a mail server for this test; the app sends to it."""
    server = SmtpServer().start()
    send_to(server, app, monkeypatch)
    yield server
    server.stop()


def send_to(server: SmtpServer, app: Flask, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    """Make the app send by SMTP to ``server`` for the rest of the test."""
    for name, value in {**SMTP_SETTINGS, "MAIL_PORT": server.port, **settings}.items():
        monkeypatch.setitem(app.config, name, value)


@pytest.fixture
def bare_app() -> Iterator[Flask]:
    """Yield a Flask application with only the settings that the kit needs, in its context."""
    bare = Flask("bare", static_folder=None)
    bare.test_client_class = SeparateRequests
    bare.config.from_object(Decisions)
    bare.config.update(BARE_SETTINGS)
    with bare.app_context():
        yield bare
