"""Fixtures for rate limits."""

from collections.abc import Callable, Iterator

import pytest
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.extensions import limiter


@pytest.fixture
def limits_in(redis_url: str) -> Iterator[Callable[[str], None]]:
    """Make the limiter count in the Redis at a URL, as in production."""
    before = limiter.storage

    def count_in(url: str) -> None:
        timeouts = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
        limiter.use(RedisStorage(url, **timeouts, retry=Retry(NoBackoff(), 0)))

    yield count_in
    limiter.use(before)
