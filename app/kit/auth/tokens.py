"""Signed links that work once.

A token says who it is for (the user's random uid, since a row id can be handed to somebody
else), and carries a fingerprint of the state that using it changes. Once used, the state
differs and the link is dead; no list of used tokens is kept. Comparing texts could not do
this: the last character of a signature has four spellings.
"""

import hashlib
import hmac
from dataclasses import dataclass
from time import time
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from app.kit.core.signing import signing_keys


@dataclass(frozen=True)
class Claims:
    """What a valid token says: whom it is for, the state it was made in, and extra data."""

    uid: str
    fingerprint: str
    data: dict[str, Any]


def sign(purpose: str, uid: str, state: tuple[object, ...], max_age_seconds: int, **data: object) -> str:
    """Return a token for one ``purpose`` that dies after ``max_age_seconds`` or when ``state`` changes."""
    expires_at = int(time()) + max_age_seconds
    return _serializer(purpose).dumps([uid, fingerprint(state), expires_at, data])


def read(purpose: str, token: str) -> Claims | None:
    """Return the claims of a token made for ``purpose``, or None when it is forged, foreign or expired."""
    try:
        uid, state_print, expires_at, data = _serializer(purpose).loads(token)
        is_over = time() >= expires_at
    except (BadData, ValueError, TypeError):
        return None
    return None if is_over else Claims(uid, state_print, data)


def matches(claims: Claims, state: tuple[object, ...]) -> bool:
    """Return whether the state is still the one the token was made in."""
    return hmac.compare_digest(claims.fingerprint, fingerprint(state))


def fingerprint(state: tuple[object, ...]) -> str:
    """Return a short digest of ``state``; it has no key, so that links survive a rotation of SECRET_KEY."""
    return hashlib.sha256(repr(state).encode()).hexdigest()[:32]


def _serializer(purpose: str) -> URLSafeSerializer:
    keys = signing_keys(current_app.config)
    return URLSafeSerializer(keys, salt=f"link:{purpose}", signer_kwargs={"digest_method": hashlib.sha256})
