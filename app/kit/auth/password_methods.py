"""The methods of password hashes: which of them we compute, and a dummy hash for each.

A method is the part before salt and digest: ``$argon2id$v=19$m=19456,t=2,p=1$`` today, ``scrypt:32768:8:1$`` or
``pbkdf2:sha256:260000$`` in the hashes that Werkzeug made for flask-base.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable

# Limits on the cost of an imported hash, which must not keep a core busy for minutes: four times the cost of Werkzeug
# 3.1, and one pass over 1 GiB. Each takes about a second.
MAX_PBKDF2_ITERATIONS = 4_000_000
MAX_SCRYPT_BLOCKS = 4 * 32768 * 8  # n * r * p; a block takes 128 bytes
MAX_ARGON2_KIB_PASSES = 1024 * 1024
# How long the methods in use are cached. Until then the response time can reveal a newly imported method, and a method
# no longer in use still costs time.
CACHE_SECONDS = 60

_PBKDF2 = re.compile(r"pbkdf2(?::sha(?:1|224|256|384|512)(?::(\d{1,9}))?)?\$")
_SCRYPT = re.compile(r"scrypt(?::(\d{1,9}):(\d{1,9}):(\d{1,9}))?\$")
_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$v=(?:16|19)\$m=(\d{1,9}),t=(\d{1,9}),p=\d{1,2}\$")
_NO_SALT, _NO_ARGON2_DIGEST, _NO_HEX_DIGEST = "bm9wYXNzd29yZGZpdHNtZQ", "A" * 43, "0" * 64

log = logging.getLogger(__name__)


def method_of(password_hash: str | None) -> str | None:
    """Return the method of a hash, whether or not we compute it; None if the text does not look like a hash."""
    parts = (password_hash or "").rsplit("$", 2)
    return f"{parts[0]}$" if len(parts) == 3 else None


def is_computed(method: str) -> bool:
    """Return whether we compute hashes by ``method``: it is known, and its cost is within the limits."""
    if match := _PBKDF2.fullmatch(method):
        return 0 < int(match[1] or 1) <= MAX_PBKDF2_ITERATIONS
    if match := _SCRYPT.fullmatch(method):
        n, r, p = (int(number or 1) for number in match.groups())
        return 0 < n * r * p <= MAX_SCRYPT_BLOCKS
    if match := _ARGON2.fullmatch(method):
        return 0 < int(match[1]) * int(match[2]) <= MAX_ARGON2_KIB_PASSES
    return False


def hash_of_nobody(method: str) -> str:
    """Return a hash by ``method`` that no password matches and that takes as long to verify as a real one."""
    return f"{method}{_NO_SALT}${_NO_ARGON2_DIGEST if method.startswith('$argon2') else _NO_HEX_DIGEST}"


class MethodsInUse:
    """The methods of all stored hashes, queried at most once a minute."""

    def __init__(self, find: Callable[[], Iterable[str]]) -> None:
        self._find = find
        self._computed: frozenset[str] = frozenset()
        self._refused = 0
        self._ask_again_at = 0.0

    def __call__(self) -> frozenset[str]:
        """Return the methods that we compute; the query runs before any hash is checked."""
        if time.monotonic() >= self._ask_again_at:
            self._sort(frozenset(self._find()))
            self._ask_again_at = time.monotonic() + CACHE_SECONDS
        return self._computed

    def forget(self) -> None:
        """Query again at the next call, for example after an import of users."""
        self._ask_again_at = 0.0

    def _sort(self, found: frozenset[str]) -> None:
        self._computed = frozenset(filter(is_computed, found))
        refused = len(found - self._computed)
        if refused > self._refused:
            # Log only the number: where a password was stored as plain text, the "method" would be a part of it.
            log.warning("%d methods of password hashes are unknown or too costly, their users must reset", refused)
        self._refused = refused
