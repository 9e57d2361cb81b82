"""CSRF tokens that look different in every response.

Flask-WTF's token is constant for a session. On a compressed page that also echoes what the visitor sent, the
length of the response leaks the token byte by byte (BREACH, CVE-2013-3587). XOR with a new random pad for each
response prevents this.
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
    """Return the session's CSRF token masked with a new pad, for a form field or a header."""
    return mask(generate_csrf())


def mask(token: str) -> str:
    """Return ``token`` XORed with a random pad, with the pad in front, as URL-safe base64."""
    plain = token.encode()
    pad = token_bytes(len(plain))
    return urlsafe_b64encode(pad + _xor(plain, pad)).decode()


def unmask(masked: str) -> str:
    """Return the token in ``masked``, or "" for text that was never masked; no check accepts an empty token."""
    try:
        data = urlsafe_b64decode(masked.encode())
        half = len(data) // 2
        return _xor(data[half:], data[:half]).decode()
    except (NotBase64, ValueError):
        return ""


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(max(len(left), len(right)))


class MaskedFormCSRF(CSRF):
    """The masked token in a form's hidden field; MaskedCSRFProtect checks each request before its view runs."""

    def generate_csrf_token(self, csrf_token_field: Field) -> str:
        """Return the session's token, newly masked."""
        return masked_csrf_token()

    def validate_csrf_token(self, form: BaseForm, field: Field) -> None:
        """Raise ValidationError for a wrong token, unless MaskedCSRFProtect has already checked the request."""
        # CSRFProtect sets this after its check. A view that is exempt from that check may still validate its form.
        if not g.get("csrf_valid"):
            validate_csrf(unmask(field.data or ""))


class MaskedCSRFProtect(CSRFProtect):
    """Flask-WTF's check of every unsafe request, with masked tokens."""

    def init_app(self, app: Flask) -> None:
        """Bind the extension to ``app``; ``csrf_token()`` in templates returns a masked token."""
        super().init_app(app)
        # The last key signs, and any key verifies: a form that was open while the key was rotated still works.
        keys = app.config.get("WTF_CSRF_SECRET_KEY") or signing_keys(app.config)
        app.config["WTF_CSRF_SECRET_KEY"] = [keys] if isinstance(keys, str) else keys
        app.jinja_env.globals["csrf_token"] = masked_csrf_token
        app.context_processor(lambda: {"csrf_token": masked_csrf_token})

    def _get_csrf_token(self) -> str | None:
        # A private name: Flask-WTF has no public way to change how the token is read from a request.
        masked = super()._get_csrf_token()
        return unmask(masked) if masked else None
