"""Flask's session cookie, signed with less work; the format is the same."""

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import Serializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from app.kit.core.signing import signing_keys

# Compression makes shorter sessions no smaller.
COMPRESSED_FROM_BYTES = 300


class SessionCookie(SecureCookieSessionInterface):
    """Creates the serializer once; Flask creates one to read the cookie and one to write it, in each request."""

    def __init__(self) -> None:
        self._made: tuple[list[Any], URLSafeTimedSerializer] | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return the serializer for the current keys."""
        keys = signing_keys(app.config)
        if self._made is None or self._made[0] != keys:
            options = {"key_derivation": self.key_derivation, "digest_method": self.digest_method}
            serializer = _PlainSerializer(keys, salt=self.salt, serializer=self.serializer, signer_kwargs=options)
            self._made = keys, serializer
        return self._made[1]


class _PlainSerializer(URLSafeTimedSerializer):
    def dump_payload(self, obj: object) -> bytes:
        json = Serializer.dump_payload(self, obj)
        return base64_encode(json) if len(json) < COMPRESSED_FROM_BYTES else super().dump_payload(obj)


def init_app(app: Flask) -> None:
    """Use this cookie for the sessions of ``app``."""
    app.session_interface = SessionCookie()
