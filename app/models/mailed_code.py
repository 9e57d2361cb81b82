"""Codes that are mailed to users, who type them in the browser that asked.

A code is stored nowhere: it is derived from the site's key and a random ``nonce`` when the email is sent, and again
when it is typed. A plain digest would give it away, since 40 bits are tried out in minutes. Whoever copies the
database has the nonce and not the key.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator
from secrets import token_urlsafe

from flask import current_app

from app.kit.core.signing import signing_keys
from app.models.flow import Flow
from app.models.user import User

# Crockford's: without I, L, O and U. What is read as another sign is forgiven.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD = str.maketrans("OIL", "011")
LENGTH = 8


def new_nonce() -> str:
    """Return a nonce for a new code."""
    return token_urlsafe(16)


def code_for(purpose: str, nonce: str) -> str:
    """Return a code in two groups, such as "3F7K-9QXM"."""
    *_, code = _codes(purpose, nonce)
    return f"{code[:4]}-{code[4:]}"


def is_code(typed: str, purpose: str, nonce: str) -> bool:
    """Return whether ``typed`` is the code of ``nonce``, however it is spaced and in whatever case."""
    code = re.sub(r"[^0-9A-Z]", "", typed.upper().translate(MISREAD)).encode()
    return any(hmac.compare_digest(code, known.encode()) for known in _codes(purpose, nonce))


def _codes(purpose: str, nonce: str) -> Iterator[str]:
    """Yield the code by each key that is in use, the present one last."""
    for key in signing_keys(current_app.config):
        digest = hmac.digest(key.encode(), f"mailed code {purpose} {nonce}".encode(), hashlib.sha256)
        yield "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])


def is_awaited(purpose: str, user: User, nonce: str) -> bool:
    """Return whether a browser waits for this code of ``user``."""
    return any(flow.is_of(user) and flow.data["nonce"] == nonce for flow in Flow.living(purpose, user))
