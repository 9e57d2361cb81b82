"""Rate limits, counted in Redis, or in this process while Redis is unavailable. config.py has the numbers.

A view states its limits as decorators. The functions below return the key of a limit: the IP address, the typed
email address, or the logged-in user.
"""

import hashlib
import hmac
import logging
import math
import time
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Any, cast

from flask import Flask, current_app, request
from flask_login import current_user
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, Storage, storage_from_string
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.exceptions import TooManyRequests

from app.kit.auth.email_address import normalized_email

# Short, because a slow Redis must not block every view that has a rate limit.
REDIS_TIMEOUT_SECONDS = 0.5
# How long an unavailable storage is left alone.
STORAGE_PAUSE_SECONDS = 5
# The prefix that a home or a rented server gets (RFC 6177): one customer has 2^64 addresses.
IPV6_CUSTOMER_PREFIX = 64

log = logging.getLogger(__name__)
View = Callable[..., Any]
# How often something may happen, and the key under which it is counted.
Limit = tuple[str, RateLimitItem]


class Limiter:
    """Counts attempts in a storage of the package ``limits``, or in this process while that is unavailable."""

    def __init__(self) -> None:
        self.enabled = True
        self._own_memory = MemoryStorage()
        # MemoryStorage loses counts when two threads start a window at the same time.
        self._memory_lock = Lock()
        self.use(self._own_memory)

    def init_app(self, app: Flask) -> None:
        """Count in the storage that RATELIMIT_STORAGE_URI names; count nothing where RATELIMIT_ENABLED is False."""
        app.extensions["limiter"] = self
        self.enabled = app.config.get("RATELIMIT_ENABLED", self.enabled)
        options: dict[str, Any] = {
            "socket_timeout": REDIS_TIMEOUT_SECONDS,
            "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
            "retry": Retry(NoBackoff(), 0),  # redis-py's default of ten retries would take a minute
        }
        self.use(cast(Storage, storage_from_string(app.config["RATELIMIT_STORAGE_URI"], **options)))

    def use(self, storage: Storage) -> None:
        """Count in ``storage`` from now on."""
        self._storage, self._paused_until = storage, 0.0

    def reset(self) -> None:
        """Delete all counts."""
        self._storage.reset()
        self._own_memory.reset()

    @property
    def storage(self) -> Storage:
        """The storage that counts at the moment."""
        return self._own_memory if time.monotonic() < self._paused_until else self._storage

    def limit(
        self, limit: Callable[[], str], methods: Collection[str] = (), key_func: Callable[[], str] | None = None
    ) -> Callable[[View], View]:
        """Return a decorator that limits how often a view is called, by ``key_func`` or else by IP address.

        ``methods`` are those that count; without them, all do.
        """

        def decorate(view: View) -> View:
            @wraps(view)
            def limited(*args: Any, **kwargs: Any) -> Any:
                if not methods or request.method in methods:
                    self.hit(parse(limit()), (key_func or client_address)())
                return view(*args, **kwargs)

            return limited

        return decorate

    def hit(self, limit: RateLimitItem, who: str) -> None:
        """Count a request of the current view. Raises TooManyRequests (429) when the limit is exceeded."""
        self.take([(limit.key_for("limits", who, request.endpoint or ""), limit)])

    def take(self, limits: Sequence[Limit]) -> list[tuple[Storage, Limit]]:
        """Count one against each limit, and return where each was counted.

        Raises TooManyRequests (429), with nothing counted, when a limit is reached.
        """
        taken: list[tuple[Storage, Limit]] = []
        for key, limit in limits if self.enabled else []:
            storage, count = self.count(key, limit.get_expiry())
            taken.append((storage, (key, limit)))
            if count > limit.amount:
                seconds = self._seconds_left(storage, key, limit.get_expiry())
                self.give_back(taken)
                log.info("rate limit exceeded", extra={"fields": {"limit": str(limit)}})
                raise TooManyRequests(retry_after=seconds)
        return taken

    def give_back(self, taken: list[tuple[Storage, Limit]]) -> None:
        """Subtract one from the counts that :meth:`take` returned."""
        for storage, (key, limit) in taken:
            try:
                # The window may have ended, and its count with it.
                if self._add(storage, key, limit.get_expiry(), -1) < 0:
                    self._add(storage, key, limit.get_expiry(), 1)
            except storage.base_exceptions:
                log.warning("what was given back stays counted: the storage of limits is unavailable")

    def count(self, key: str, window_seconds: int) -> tuple[Storage, int]:
        """Add one to a count; return where it is kept, and its new value."""
        storage = self.storage
        try:
            return storage, self._add(storage, key, window_seconds, 1)
        except storage.base_exceptions:
            log.warning("the storage of rate limits is unavailable: falling back to in-memory storage")
            self._paused_until = time.monotonic() + STORAGE_PAUSE_SECONDS
            return self._own_memory, self._add(self._own_memory, key, window_seconds, 1)

    def counted(self, key: str) -> int:
        """Return a count without adding to it; 0 while the storage is unavailable."""
        storage = self.storage
        try:
            return storage.get(key)
        except storage.base_exceptions:
            return 0

    def _add(self, storage: Storage, key: str, window_seconds: int, amount: int) -> int:
        """Add ``amount`` to a count in ``storage``, and return its new value."""
        if not isinstance(storage, MemoryStorage):
            return storage.incr(key, window_seconds, amount)
        with self._memory_lock:
            return storage.incr(key, window_seconds, amount)

    def _seconds_left(self, storage: Storage, key: str, window_seconds: int) -> int:
        """Return when the window of a count ends; all of ``window_seconds`` if the storage does not say."""
        try:
            return max(1, math.ceil(storage.get_expiry(key) - time.time()))
        except storage.base_exceptions:
            return window_seconds


def from_config(setting: str) -> Callable[[], str]:
    """Return a function for ``limiter.limit`` that reads the limit from the configuration at each request."""
    return lambda: str(current_app.config[setting])


def client_address() -> str:
    """Return the key of a limit per IP address; all addresses of one IPv6 customer share a key."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        network = int(address) >> (128 - IPV6_CUSTOMER_PREFIX)
        return f"{network:x}::/{IPV6_CUSTOMER_PREFIX}"
    return str(address)


def typed_email() -> str:
    """Return the key of a limit per email address: what was typed, whether or not it has an account.

    Only a keyed digest goes to Redis and its logs, never the address. Text that is not an address counts by IP
    address, so that everybody's typing errors do not add up.
    """
    address = normalized_email(request.form.get("email", ""))
    if address is None:
        return client_address()
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, address.lower().encode(), hashlib.sha256).hexdigest()[:32]


def signed_in_user() -> str:
    """Return the key of a limit per user; an anonymous visitor counts by IP address."""
    return f"user:{current_user.uid}" if current_user.is_authenticated else client_address()
