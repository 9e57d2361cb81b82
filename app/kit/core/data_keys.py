"""Encryption of what is stored and has to be read again, such as the secrets of authenticator apps.

The keys are DATA_KEYS: the first encrypts, all decrypt. Not SECRET_KEY, which may be replaced at any time at the price
of some logins. With these keys what they encrypted is lost.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class UnreadableError(ValueError):
    """The text was not encrypted with one of DATA_KEYS, or was changed since."""


def encrypt(secret: bytes) -> str:
    """Return ``secret`` encrypted with the first key."""
    return _ring().encrypt(secret).decode()


def decrypt(text: str) -> bytes:
    """Return what was encrypted with any of the keys. Raises :class:`UnreadableError`."""
    # Imported here, because most processes never use it, and it takes megabytes.
    from cryptography.fernet import InvalidToken

    try:
        return _ring().decrypt(text)
    except InvalidToken:
        raise UnreadableError("encrypted with a key that is not in DATA_KEYS") from None


def encrypt_anew(text: str) -> str:
    """Return what was encrypted with any of the keys, encrypted with the first. Raises :class:`UnreadableError`."""
    return encrypt(decrypt(text))


def _ring() -> "MultiFernet":
    # Imported here, because most processes never use it, and it takes megabytes.
    from cryptography.fernet import Fernet, MultiFernet

    # A digest makes 32 bytes of any text. It needs no stretching: the settings demand random texts.
    keys = (sha256(text.encode()).digest() for text in current_app.config["DATA_KEYS"])
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])
