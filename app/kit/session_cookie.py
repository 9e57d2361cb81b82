"""Flask's session in a signed cookie, its signer made once per key."""

from __future__ import annotations

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer


class SessionCookie(SecureCookieSessionInterface):
    """Flask's own interface makes a signer for reading and another for writing, on every request."""

    def __init__(self) -> None:
        self._keys: object = None
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Answer the signer of the app's present keys; None without a key."""
        keys = (app.secret_key, tuple(app.config["SECRET_KEY_FALLBACKS"] or ()))
        if self._signer is None or keys != self._keys:
            self._signer = super().get_signing_serializer(app)
            self._keys = keys
        return self._signer


def init_app(app: Flask) -> None:
    """Let ``app`` keep its sessions this way."""
    app.session_interface = SessionCookie()
