"""The session cookie has Flask's format, so a fork can go back to Flask's own."""

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface, SessionInterface

from app.kit.http.session_cookie import SessionCookie

SHORT, LONG = {"user": "1"}, {"text": "typed " * 200}


def cookie(app: Flask, interface: SessionInterface, session: dict[str, str]) -> str:
    serializer = interface.get_signing_serializer(app)
    value: str = serializer.dumps(session)
    assert serializer.loads(value) == session
    return value


@pytest.fixture
def site() -> Flask:
    app = Flask("cookies")
    app.config["SECRET_KEY"] = "first"
    return app


@pytest.mark.parametrize("session", [SHORT, LONG])
def test_flask_reads_it_and_it_reads_flasks(site: Flask, session: dict[str, str]) -> None:
    ours, stock = SessionCookie(), SecureCookieSessionInterface()
    assert stock.get_signing_serializer(site).loads(cookie(site, ours, session)) == session
    assert ours.get_signing_serializer(site).loads(cookie(site, stock, session)) == session


def test_a_long_session_is_compressed(site: Flask) -> None:
    assert len(cookie(site, SessionCookie(), LONG)) < 200


def test_a_new_key_signs_and_the_one_before_it_still_verifies(site: Flask) -> None:
    ours = SessionCookie()
    before = cookie(site, ours, SHORT)
    site.config.update(SECRET_KEY="second", SECRET_KEY_FALLBACKS=["first"])
    assert ours.get_signing_serializer(site).loads(before) == SHORT
    after = cookie(site, ours, SHORT)
    site.config.update(SECRET_KEY="first", SECRET_KEY_FALLBACKS=None)
    with pytest.raises(Exception, match="does not match"):
        ours.get_signing_serializer(site).loads(after)
