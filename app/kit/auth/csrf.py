"""A CSRF token that looks different in every response.

Flask-WTF's token is constant for a session. On a compressed page that also echoes what the
visitor sent, its length leaks the token byte by byte (BREACH, CVE-2013-3587). XOR with a fresh
random pad leaves nothing to guess.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from secrets import token_bytes

from flask import Flask, g
from flask_wtf.csrf import CSRFProtect, generate_csrf, validate_csrf
from wtforms import Field
from wtforms.csrf.core import CSRF
from wtforms.form import BaseForm

from app.kit.core.signing import signing_keys


def masked_csrf_token() -> str:
    """Return the session's CSRF token under a fresh pad, for a form field or a header."""
    return mask(generate_csrf())


def mask(token: str) -> str:
    """Return ``token`` XORed with a random pad, the pad in front, as URL-safe base64."""
    plain = token.encode()
    pad = token_bytes(len(plain))
    return urlsafe_b64encode(pad + _xor(plain, pad)).decode()


def unmask(masked: str) -> str:
    """Return the token inside; text that was never masked gives an empty one, which no check accepts."""
    try:
        data = urlsafe_b64decode(masked.encode())
        half = len(data) // 2
        return _xor(data[half:], data[:half]).decode()
    except (NotBase64, ValueError):
        return ""


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(max(len(left), len(right)))


class MaskedFormCSRF(CSRF):
    """The hidden field of a form; MaskedCSRFProtect checks the request as a whole before the view runs."""

    def generate_csrf_token(self, csrf_token_field: Field) -> str:
        return masked_csrf_token()

    def validate_csrf_token(self, form: BaseForm, field: Field) -> None:
        # What CSRFProtect notes once it is done; a view that is exempt from it may still check its form.
        if not g.get("csrf_valid"):
            validate_csrf(unmask(field.data or ""))


class MaskedCSRFProtect(CSRFProtect):
    """Flask-WTF's check of every unsafe request, reading and writing masked tokens."""

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        # Signed with the last, read with any: a form that stood open while the key was rotated still works.
        keys = app.config.get("WTF_CSRF_SECRET_KEY") or signing_keys(app.config)
        app.config["WTF_CSRF_SECRET_KEY"] = [keys] if isinstance(keys, str) else keys
        app.jinja_env.globals["csrf_token"] = masked_csrf_token
        app.context_processor(lambda: {"csrf_token": masked_csrf_token})

    def _get_csrf_token(self) -> str | None:
        # A private name: Flask-WTF has no public way to say how the token of a request is read.
        masked = super()._get_csrf_token()
        return unmask(masked) if masked else None
