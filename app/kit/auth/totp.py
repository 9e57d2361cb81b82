"""Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds, as all apps know it."""

import hmac
import re
import struct
import time
from base64 import b32encode
from collections.abc import Iterable
from secrets import token_bytes
from urllib.parse import quote, urlencode

STEP_SECONDS, DIGITS, SECRET_BYTES = 30, 6, 20
# How far a clock may be off to be told so: five minutes in both directions.
NEAR_STEPS = 10


def new_secret() -> bytes:
    """Return a random secret of 160 bits."""
    return token_bytes(SECRET_BYTES)


def current_step() -> int:
    """Return the number of the present 30 seconds."""
    return int(time.time()) // STEP_SECONDS


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Return the code of a step (HOTP, RFC 4226 5.3)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    number = struct.unpack_from(">I", digest, digest[-1] & 15)[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def typed_code(text: str) -> str | None:
    """Return the six ASCII digits that were typed, without blanks and dashes; None for anything else."""
    code = re.sub(r"[\s-]", "", text)
    return code if re.fullmatch(rf"[0-9]{{{DIGITS}}}", code) else None


def accepted_step(secret: bytes, code: str) -> int | None:
    """Return the step of ``code`` if it is the present one or the one before, which was shown while it was typed."""
    now = current_step()
    return _matched(secret, code, (now, now - 1))


def is_of_wrong_clock(secret: bytes, code: str) -> bool:
    """Return whether ``code`` is right for a clock that is some minutes off."""
    now = current_step()
    return _matched(secret, code, range(now - NEAR_STEPS, now + NEAR_STEPS + 1)) is not None


def _matched(secret: bytes, code: str, steps: Iterable[int]) -> int | None:
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step), code)), None)


def as_text(secret: bytes) -> str:
    """Return the secret as people type it."""
    return b32encode(secret).decode().rstrip("=")


def setup_link(secret: bytes, site: str, account: str) -> str:
    """Return the link that sets an app up; a QR code shows it."""
    # A colon separates the two in the label.
    label = quote(f"{site.replace(':', '')}:{account}")
    return f"otpauth://totp/{label}?{urlencode({'secret': as_text(secret), 'issuer': site}, quote_via=quote)}"
