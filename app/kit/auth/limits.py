"""Rate limits, counted in Redis, or in this process while Redis is unavailable.

A view states its limits as decorators. The functions below return the key of a limit: the IP address, the typed
email address, or the logged-in user.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Any

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from flask_login import current_user
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.kit.auth.email_address import normalized_email

# Short, because a slow Redis must not block every view that has a rate limit.
REDIS_TIMEOUT_SECONDS = 0.5
# The prefix that a home or a rented server gets (RFC 6177): one customer has 2^64 addresses.
IPV6_CUSTOMER_PREFIX = 64


def make_limiter() -> Limiter:
    """Return a limiter that is not yet bound to an app; RATELIMIT_STORAGE_URI names its storage."""
    storage_options: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),  # redis-py's default of ten retries would take a minute
    }
    return Limiter(
        key_func=client_address,
        key_prefix="limits",
        storage_options=storage_options,
        in_memory_fallback_enabled=True,
        # If Redis fails after the view has run, a failed try stays uncounted; there is no error page.
        swallow_errors=True,
    )


def init_app(app: Flask, limiter: Limiter) -> None:
    """Bind the limiter, and set Retry-After on each 429 response."""
    limiter.init_app(app)

    @app.after_request
    def say_when_to_retry(response: Response) -> Response:
        if response.status_code == 429 and limiter.current_limit is not None:
            response.headers.setdefault("Retry-After", str(seconds_until_reset(limiter)))
        return response


def seconds_until_reset(limiter: Limiter) -> int:
    """Return how long the limit that this request has reached will last, 1 if that is not known."""
    limit = limiter.current_limit
    return 1 if limit is None else max(1, int(limit.reset_at - time.time()) + 1)


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
