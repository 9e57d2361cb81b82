"""Signed links that work once.

A token names the user by a random uid, since a row id can be given to somebody else. It carries a fingerprint of
the state that using the link changes. After use the state differs and the link is invalid, so no list of used
tokens is needed. Comparing token texts would not work: the last character of a signature has four spellings.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from time import time
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from app.kit.core.signing import signing_keys


@dataclass(frozen=True)
class Claims:
    """The contents of a valid token: the user's uid, a fingerprint of the state it was made in, and extra data."""

    uid: str
    fingerprint: str
    data: dict[str, Any]


def sign(purpose: str, uid: str, state: tuple[object, ...], lifetime: timedelta, **data: object) -> str:
    """Return a token for one ``purpose``, valid for ``lifetime`` or until ``state`` changes."""
    expires_at = int(time() + lifetime.total_seconds())
    return _serializer(purpose).dumps([uid, fingerprint(state), expires_at, data])


def read(purpose: str, token: str) -> Claims | None:
    """Return the claims of a token, or None when it is forged, expired or made for another purpose."""
    try:
        uid, state_print, expires_at, data = _serializer(purpose).loads(token)
        is_over = time() >= expires_at
    except (BadData, ValueError, TypeError):
        return None
    return None if is_over else Claims(uid, state_print, data)


def matches(claims: Claims, state: tuple[object, ...]) -> bool:
    """Return whether ``state`` is still the one that the token was made in."""
    return hmac.compare_digest(claims.fingerprint, fingerprint(state))


def fingerprint(state: tuple[object, ...]) -> str:
    """Return a short digest of ``state``. It has no key, so links survive a rotation of SECRET_KEY."""
    return hashlib.sha256(repr(state).encode()).hexdigest()[:32]


def _serializer(purpose: str) -> URLSafeSerializer:
    keys = signing_keys(current_app.config)
    return URLSafeSerializer(keys, salt=f"link:{purpose}", signer_kwargs={"digest_method": hashlib.sha256})
