"""Fixtures for rate limits."""

from collections.abc import Callable, Iterator

import pytest
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.extensions import limiter


@pytest.fixture
def limits_in(redis_url: str) -> Iterator[Callable[[str], None]]:
    """Make the limiter count in the Redis at a URL, as in production."""
    before = limiter._storage, limiter._limiter

    def count_in(url: str) -> None:
        timeouts = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
        limiter._storage = RedisStorage(url, **timeouts, retry=Retry(NoBackoff(), 0))
        limiter._limiter = FixedWindowRateLimiter(limiter._storage)

    yield count_in
    limiter._storage, limiter._limiter = before
    limiter._storage_dead = False
    limiter._fallback_storage.reset()
