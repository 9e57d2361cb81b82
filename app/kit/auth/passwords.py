"""Password hashing, and one rule for password strength.

Argon2id with OWASP's minimum (19 MiB, 2 passes, 1 lane; Password Storage Cheat Sheet). Hashes that Werkzeug made
for flask-base still verify, and are renewed at the next login. config.py says how long a password must be.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app
from werkzeug.security import check_password_hash

from app.kit.auth.password_methods import MethodsInUse, hash_of_nobody, is_computed, method_of
from app.kit.core import metrics

# zxcvbn raises above 72 characters, and its time grows with the length.
ZXCVBN_MAX_LENGTH = 72
# zxcvbn looks for every pair of words, and a name of many words makes many pairs.
MAX_PERSONAL_WORDS = 12
# zxcvbn tries every reading of these signs as letters, and the readings multiply: a password with all ten took 2 s, and
# anybody can send one. We let it read two kinds of signs; the others are replaced by signs that it does not know.
LETTER_LIKE_SIGNS = "@({[<!|$+%"
_READ_AS_LETTERS = 2
# Each hash takes 19 MiB and a core: a flood of logins must wait here instead of exhausting the machine.
_HASHES_AT_ONCE = 2
_WAIT_SECONDS = 2
_gate = BoundedSemaphore(_HASHES_AT_ONCE)


class TooManyHashesError(Exception):
    """No hash could start within two seconds; the error page returns 503 with Retry-After."""


@dataclass(frozen=True)
class Strength:
    """The strength of a password: zxcvbn's score (0 to 4), its advice, and what is wrong, or None."""

    score: int
    advice: list[str]
    problem: str | None

    @property
    def acceptable(self) -> bool:
        """Whether the password may be used."""
        return self.problem is None


def init_app(app: Flask, methods_in_use: Callable[[], Iterable[str]]) -> None:
    """Make each check of a password compute every method that ``methods_in_use`` returns, so that all take as long."""
    app.extensions["password_methods"] = MethodsInUse(methods_in_use)


def hash_password(password: str) -> str:
    """Return a new argon2id hash. Raises :class:`TooManyHashesError` under a flood of logins."""
    with _turn():
        return _hasher().hash(_bytes(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether ``password_hash`` was made from ``password``.

    Computes one hash by each method in use, even when there is no hash to check: the response time must not reveal
    whether an account exists or how old it is. Once all old hashes are renewed, that is one hash. Raises
    :class:`TooManyHashesError` under a flood of logins.
    """
    own, todays = method_of(password_hash), _todays_method()
    methods = {todays, *_methods_in_use()}
    if own and is_computed(own):
        methods.add(own)
    encoded = {method: hash_of_nobody(method) for method in methods}
    if own in methods and password_hash:
        encoded[own] = password_hash
    with _turn():
        fitting = {method for method in sorted(methods) if _fits(encoded[method], password)}
    return own in fitting


def needs_rehash(password_hash: str) -> bool:
    """Return whether the hash was made by Werkzeug or with other parameters than today's."""
    return not password_hash.startswith("$argon2") or _hasher().check_needs_rehash(password_hash)


def assess(password: str, personal_words: Iterable[str] = ()) -> Strength:
    """Return the strength of ``password``, for the form's validator and for the strength meter.

    ``personal_words`` (name, address, the site's name) count as guesses that an attacker makes first.
    """
    problem = _length_problem(password)
    if not password:
        return Strength(0, [], problem)
    score, advice = _zxcvbn(password, personal_words)
    if problem is None and score < current_app.config["PASSWORD_MIN_SCORE"]:
        problem = "This password is too easy to guess."
    return Strength(score, advice, problem)


def personal_words(*texts: str | None) -> list[str]:
    """Return ``texts`` and their words, alone and in pairs: "Ada Wren" gives ada, wren, adawren, wrenada."""
    parts = [part for text in texts for part in re.split(r"[\W_]+", (text or "").lower()) if len(part) > 1]
    different = list(dict.fromkeys(parts))[:MAX_PERSONAL_WORDS]
    pairs = ["".join(pair) for pair in permutations(different, 2)]
    return [text for text in texts if text] + different + pairs


def _length_problem(password: str) -> str | None:
    minimum, maximum = current_app.config["PASSWORD_MIN_LENGTH"], current_app.config["PASSWORD_MAX_LENGTH"]
    if len(password) < minimum:
        return f"Use at least {minimum} characters."
    if len(password) > maximum:
        return f"Use at most {maximum} characters."
    return None


def _zxcvbn(password: str, personal: Iterable[str]) -> tuple[int, list[str]]:
    # Imported here: its word lists take 10 MB and 80 ms, only in processes that check new passwords.
    from zxcvbn import zxcvbn

    words = [*personal, *personal_words(current_app.config["APP_NAME"])]
    result = zxcvbn(_quick_to_judge(password[:ZXCVBN_MAX_LENGTH]), user_inputs=words)
    feedback = result["feedback"]
    advice = [text for text in (feedback["warning"], *feedback["suggestions"]) if text]
    return result["score"], advice


def _quick_to_judge(password: str) -> str:
    kinds = [sign for sign in dict.fromkeys(password) if sign in LETTER_LIKE_SIGNS]
    strange = {ord(sign): 0xA1 + number for number, sign in enumerate(kinds[_READ_AS_LETTERS:])}
    return password.translate(strange)


def _methods_in_use() -> frozenset[str]:
    find: MethodsInUse | None = current_app.extensions.get("password_methods")
    return find() if find else frozenset()


def _fits(password_hash: str, password: str) -> bool:
    try:
        if password_hash.startswith("$argon2"):
            return _hasher().verify(password_hash, _bytes(password))
        return check_password_hash(password_hash, password)
    except (VerificationError, InvalidHashError, ValueError):  # ValueError: UTF-8 cannot encode the text
        return False


def _bytes(password: str) -> bytes:
    # Text from a terminal or from JSON can hold a lone surrogate, on which strict UTF-8 raises.
    return password.encode("utf-8", "surrogatepass")


def _todays_method() -> str:
    settings = current_app.config
    return f"$argon2id$v=19$m={settings['ARGON2_MEMORY_COST']},t={settings['ARGON2_TIME_COST']},p=1$"


def _hasher() -> PasswordHasher:
    settings = current_app.config
    return _hasher_with(settings["ARGON2_TIME_COST"], settings["ARGON2_MEMORY_COST"])


@lru_cache
def _hasher_with(time_cost: int, memory_cost_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_cost_kib, parallelism=1)


@contextmanager
def _turn() -> Iterator[None]:
    begun_at = time.perf_counter()
    if not _gate.acquire(timeout=_WAIT_SECONDS):
        metrics.count("hashes", "refused")
        raise TooManyHashesError
    metrics.count("hashes", "done")
    metrics.count("hash_wait_seconds", amount=time.perf_counter() - begun_at)
    try:
        yield
    finally:
        _gate.release()
