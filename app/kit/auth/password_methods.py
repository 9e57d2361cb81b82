"""The methods by which passwords are hashed: which are computed, and what a hash of nothing looks like.

A method is what stands before salt and digest: ``$argon2id$v=19$m=19456,t=2,p=1$`` today,
``scrypt:32768:8:1$`` or ``pbkdf2:sha256:260000$`` in the hashes that Werkzeug made for flask-base.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable

# A hash that came from elsewhere must not keep a core busy for minutes: four times what Werkzeug 3.1 takes,
# and one pass over 1 GiB. Each is about a second.
MAX_PBKDF2_ITERATIONS = 4_000_000
MAX_SCRYPT_BLOCKS = 4 * 32768 * 8  # n * r * p; a block takes 128 bytes
MAX_ARGON2_KIB_PASSES = 1024 * 1024
# How long a method that came with an import may show by its time, and one that nobody has any more costs time.
REMEMBERED_SECONDS = 60

_PBKDF2 = re.compile(r"pbkdf2(?::sha(?:1|224|256|384|512)(?::(\d{1,9}))?)?\$")
_SCRYPT = re.compile(r"scrypt(?::(\d{1,9}):(\d{1,9}):(\d{1,9}))?\$")
_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$v=(?:16|19)\$m=(\d{1,9}),t=(\d{1,9}),p=\d{1,2}\$")
_NO_SALT, _NO_ARGON2_DIGEST, _NO_HEX_DIGEST = "bm9wYXNzd29yZGZpdHNtZQ", "A" * 43, "0" * 64

log = logging.getLogger(__name__)


def method_of(password_hash: str | None) -> str | None:
    """Return the method of a hash, computed or not; None if there is no hash, or nothing like one."""
    parts = (password_hash or "").rsplit("$", 2)
    return f"{parts[0]}$" if len(parts) == 3 else None


def is_computed(method: str) -> bool:
    """Return whether passwords are hashed by ``method`` at all: it is known, and its cost is bearable."""
    if match := _PBKDF2.fullmatch(method):
        return 0 < int(match[1] or 1) <= MAX_PBKDF2_ITERATIONS
    if match := _SCRYPT.fullmatch(method):
        n, r, p = (int(number or 1) for number in match.groups())
        return 0 < n * r * p <= MAX_SCRYPT_BLOCKS
    if match := _ARGON2.fullmatch(method):
        return 0 < int(match[1]) * int(match[2]) <= MAX_ARGON2_KIB_PASSES
    return False


def hash_of_nobody(method: str) -> str:
    """Return a hash by ``method`` that no password fits, to compute for as long as a real one."""
    return f"{method}{_NO_SALT}${_NO_ARGON2_DIGEST if method.startswith('$argon2') else _NO_HEX_DIGEST}"


class MethodsInUse:
    """The methods of all hashes that the site stores, asked for at most once a minute."""

    def __init__(self, find: Callable[[], Iterable[str]]) -> None:
        self._find = find
        self._computed: frozenset[str] = frozenset()
        self._refused = 0
        self._ask_again_at = 0.0

    def __call__(self) -> frozenset[str]:
        """Return the methods that are computed; their query runs before any hash is looked at."""
        if time.monotonic() >= self._ask_again_at:
            self._sort(frozenset(self._find()))
            self._ask_again_at = time.monotonic() + REMEMBERED_SECONDS
        return self._computed

    def forget(self) -> None:
        """Ask again at the next call, as after an import of users."""
        self._ask_again_at = 0.0

    def _sort(self, found: frozenset[str]) -> None:
        self._computed = frozenset(filter(is_computed, found))
        refused = len(found - self._computed)
        if refused > self._refused:
            # Only how many: where somebody stored a password as it is, that would be its "method".
            log.warning("%d methods of password hashes are unknown or too costly, their users must reset", refused)
        self._refused = refused
