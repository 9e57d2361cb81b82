"""The signer of the session cookie follows its keys."""

import pytest
from flask import Flask, session

from app.kit.http import session_cookie


@pytest.fixture
def small_app() -> Flask:
    app = Flask("small")
    app.config.update(SECRET_KEY="first", SECRET_KEY_FALLBACKS=[])
    session_cookie.init_app(app)

    @app.get("/write")
    def write() -> str:
        session["word"] = "kept"
        return ""

    @app.get("/read")
    def read() -> str:
        return str(session.get("word"))

    return app


def test_one_signer_serves_every_request(small_app: Flask) -> None:
    interface = small_app.session_interface
    assert interface.get_signing_serializer(small_app) is interface.get_signing_serializer(small_app)


def test_a_rotated_key_reads_old_cookies_only_while_it_is_a_fallback(small_app: Flask) -> None:
    client = small_app.test_client()
    client.get("/write")
    small_app.config.update(SECRET_KEY="second", SECRET_KEY_FALLBACKS=["first"])
    assert client.get("/read").text == "kept"
    small_app.config.update(SECRET_KEY_FALLBACKS=[])
    assert client.get("/read").text == "None"


def test_without_a_key_there_is_no_session(small_app: Flask) -> None:
    small_app.config.update(SECRET_KEY=None)
    assert small_app.session_interface.get_signing_serializer(small_app) is None
