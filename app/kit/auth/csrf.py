"""A CSRF token that looks different in every response.

Flask-WTF's token is constant for a session. On a compressed page that also echoes what the
visitor sent, its length leaks the token byte by byte (BREACH, CVE-2013-3587). XOR with a fresh
random pad leaves nothing to guess.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from functools import lru_cache
from secrets import token_bytes, token_hex
from time import time

from flask import Flask, current_app, g, request, session
from flask_wtf.csrf import CSRFProtect, _FlaskFormCSRF
from wtforms import Field

from app.kit.core.signing import ShortTextSigner, signing_keys


def masked_csrf_token() -> str:
    """Answer the session's CSRF token under a fresh pad, for a form field or a header."""
    known = vars(g)
    if "csrf_token" not in known:
        known["csrf_token"] = _signed_token()
    return mask(known["csrf_token"])


def _signed_token() -> str:
    """What Flask-WTF's ``generate_csrf`` makes and its ``validate_csrf`` expects."""
    if "csrf_token" not in session:
        session["csrf_token"] = token_hex(20)
    return _signed(tuple(current_app.config["WTF_CSRF_SECRET_KEY"]), session["csrf_token"], int(time() // 60))


@lru_cache(maxsize=1000)
def _signed(keys: tuple[str, ...], token: str, _minute: int) -> str:
    # The signature holds the time, for the token's age: one a minute serves all pages of a browser.
    return str(_signer(keys).dumps(token))


@lru_cache(maxsize=2)
def _signer(keys: tuple[str, ...]) -> ShortTextSigner:
    return ShortTextSigner(keys, salt="wtf-csrf-token")


def mask(token: str) -> str:
    """Answer ``token`` XORed with a random pad, the pad in front, as URL-safe base64."""
    plain = token.encode()
    pad = token_bytes(len(plain))
    return urlsafe_b64encode(pad + _xor(plain, pad)).decode()


def unmask(masked: str) -> str:
    """Answer the token inside; text that was never masked gives an empty one, which no check accepts."""
    try:
        data = urlsafe_b64decode(masked.encode())
        half = len(data) // 2
        return _xor(data[half:], data[:half]).decode()
    except (NotBase64, ValueError):
        return ""


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(max(len(left), len(right)))


class MaskedFormCSRF(_FlaskFormCSRF):
    """The hidden field of a form; the request as a whole was checked before the view ran."""

    def generate_csrf_token(self, csrf_token_field: Field) -> str:
        return masked_csrf_token()


class MaskedCSRFProtect(CSRFProtect):
    """Flask-WTF's check of every unsafe request, reading and writing masked tokens."""

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        # Signed with the last, read with any: a form that stood open while the key was rotated still works.
        keys = app.config.get("WTF_CSRF_SECRET_KEY") or signing_keys(app.config)
        app.config["WTF_CSRF_SECRET_KEY"] = [keys] if isinstance(keys, str) else keys
        app.jinja_env.globals["csrf_token"] = masked_csrf_token
        app.context_processor(lambda: {"csrf_token": masked_csrf_token})

    def protect(self, apply_exemptions: bool = False) -> None:
        # Asked here too, since the exemptions are looked through first: 5 µs for each page that is only read.
        if request.method in current_app.config["WTF_CSRF_METHODS"]:
            super().protect(apply_exemptions)

    def _get_csrf_token(self) -> str | None:
        masked = super()._get_csrf_token()
        return unmask(masked) if masked else None
