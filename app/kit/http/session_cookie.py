"""Flask's session in a signed cookie, its signer made once per key."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from app.kit.core.signing import ShortTextSigner, signing_keys


class SessionCookie(SecureCookieSessionInterface):
    """Flask's own interface makes a signer for reading and another for writing, on every request."""

    def __init__(self) -> None:
        self._keys: object = None
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Answer the signer of the app's present keys; None without a key."""
        keys = signing_keys(app.config)
        if self._signer is None or keys != self._keys:
            self._signer = self._make_signer(keys) if app.secret_key else None
            self._keys = keys
        return self._signer

    def _make_signer(self, keys: list[Any]) -> URLSafeTimedSerializer:
        algorithm = {"key_derivation": self.key_derivation, "digest_method": self.digest_method}
        return ShortTextSigner(keys, salt=self.salt, serializer=self.serializer, signer_kwargs=algorithm)


def init_app(app: Flask) -> None:
    """Let ``app`` keep its sessions this way."""
    app.session_interface = SessionCookie()
