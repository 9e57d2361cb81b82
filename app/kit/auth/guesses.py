"""Limit guesses at a password: count each before it is checked, and uncount it when it was right.

If guesses were counted afterwards, a burst of parallel ones would all be checked before the first one counts. A
right guess uncounts only itself: it never clears the failures of somebody else.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, Storage
from werkzeug.exceptions import TooManyRequests

from app.kit.auth.limits import client_address, signed_in_user, typed_email
from app.kit.auth.passwords import TooManyHashesError

log = logging.getLogger(__name__)
R = TypeVar("R")


@dataclass(frozen=True)
class GuessLimit:
    """How many wrong guesses are allowed for ``who``."""

    wrong: RateLimitItem
    who: str

    @property
    def key(self) -> str:
        """The key of the count in the limiter's storage."""
        return self.wrong.key_for("limits", "guess", self.who)


def own_password_limits() -> list[GuessLimit]:
    """Return the limits on guesses at the current user's own password, for every form that asks for it again.

    All these forms share one count, since a thief with a stolen session would try each of them.
    """
    return [GuessLimit(_wrong("USER"), signed_in_user())]


def login_limits(known_browser: str | None) -> list[GuessLimit]:
    """Return the limits on guesses in the login form, for the address typed there.

    A browser in which this user has logged in before (``known_browser``, its id) has its own count: an attacker who
    guesses at the address, or from the same network, must not lock the owner out.
    """
    if known_browser is not None:
        return [GuessLimit(_wrong("KNOWN_BROWSER"), f"browser:{known_browser}")]
    # The address first: a guess that it stops does not count for the network.
    return [
        GuessLimit(_wrong("ADDRESS"), f"address:{typed_email()}"),
        GuessLimit(_wrong("NETWORK"), f"network:{client_address()}"),
    ]


def count_action(setting: str, who: str) -> None:
    """Count what a valid form is about to do against a limit of config.py.

    Raises TooManyRequests (429) when the limit is reached.
    """
    counter: GuessCounter = current_app.extensions["guesses"]
    counter.take([GuessLimit(parse(current_app.config[setting]), f"{setting}:{who}")])


def _wrong(whose: str) -> RateLimitItem:
    return parse(current_app.config[f"WRONG_PASSWORDS_PER_{whose}"])


def counted_guess(limits: Sequence[GuessLimit], check: Callable[[], R]) -> R:
    """Count a guess, run ``check`` and return its result, which is false for a wrong guess.

    Raises TooManyRequests (429), without running ``check``, when a limit is reached.
    """
    counter: GuessCounter = current_app.extensions["guesses"]
    taken = counter.take(limits)
    try:
        result = check()
    except TooManyHashesError:
        counter.give_back(taken)  # it was never checked
        raise
    if result:
        counter.give_back(taken)
    else:
        _log_wrong_guess()
    return result


def _log_wrong_guess() -> None:
    # The typed address is not logged: people type their password there by mistake.
    fields = {"endpoint": request.endpoint, "ip_address": request.remote_addr}
    log.warning("failed try", extra={"fields": fields})


class GuessCounter:
    """Counts guesses in the limiter's storage, or in this process while that storage is unavailable."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._own_memory = MemoryStorage()
        # MemoryStorage loses counts when two threads start a window at the same time.
        self._memory_lock = Lock()

    def take(self, limits: Sequence[GuessLimit]) -> list[tuple[Storage, GuessLimit]]:
        """Count a guess against each limit, and return where each was counted.

        Raises TooManyRequests (429), with nothing counted, when a limit is reached.
        """
        if not self._limiter.enabled:
            return []
        storage = self._limiter.limiter.storage
        taken: list[tuple[Storage, GuessLimit]] = []
        for limit in limits:
            storage, count = self._count(storage, limit)
            taken.append((storage, limit))
            if count > limit.wrong.amount:
                seconds = self._seconds_left(storage, limit)
                self.give_back(taken)
                raise TooManyRequests(retry_after=seconds)
        return taken

    def give_back(self, taken: list[tuple[Storage, GuessLimit]]) -> None:
        """Subtract a guess from the counts that :meth:`take` returned."""
        for storage, limit in taken:
            try:
                if self._add(storage, limit, -1) < 0:  # the window has ended, and its count with it
                    self._add(storage, limit, 1)
            except storage.base_exceptions:
                log.warning("a right guess stays counted: the storage of limits is unavailable")

    def _count(self, storage: Storage, limit: GuessLimit) -> tuple[Storage, int]:
        try:
            return storage, self._add(storage, limit, 1)
        except storage.base_exceptions:
            log.warning("guesses are counted in this process: the storage of limits is unavailable")
            return self._own_memory, self._add(self._own_memory, limit, 1)

    def _add(self, storage: Storage, limit: GuessLimit, amount: int) -> int:
        with self._memory_lock if isinstance(storage, MemoryStorage) else nullcontext():
            return storage.incr(limit.key, limit.wrong.get_expiry(), amount)

    def _seconds_left(self, storage: Storage, limit: GuessLimit) -> int:
        try:
            return max(1, math.ceil(storage.get_expiry(limit.key) - time.time()))
        except storage.base_exceptions:
            return limit.wrong.get_expiry()


def init_app(app: Flask, limiter: Limiter) -> None:
    """Count the guesses of ``app`` in the storage of ``limiter``."""
    app.extensions["guesses"] = GuessCounter(limiter)
