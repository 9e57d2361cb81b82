"""How often somebody may try, counted in Redis, or in this process while Redis is away.

A view states its limits as decorators. Whom a limit counts is one of the functions below: an
address on the network, an email address that was typed, or who is logged in.
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

# A limit that waits for Redis is itself a way to stop the site.
REDIS_TIMEOUT_SECONDS = 0.5
# What a home or a rented server gets (RFC 6177): whoever has one IPv6 address has 2^64 of them.
IPV6_CUSTOMER_PREFIX = 64


def make_limiter() -> Limiter:
    """Return the unbound extension; RATELIMIT_STORAGE_URI says where it counts."""
    storage_options: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),  # redis-py's own ten would take a minute
    }
    return Limiter(
        key_func=client_address,
        key_prefix="limits",
        storage_options=storage_options,
        in_memory_fallback_enabled=True,
        # Redis may vanish between the view and the count of its failure: one failure uncounted, no error page.
        swallow_errors=True,
    )


def init_app(app: Flask, limiter: Limiter) -> None:
    """Bind the limiter, and say on each 429 when to come back."""
    limiter.init_app(app)

    @app.after_request
    def say_when_to_retry(response: Response) -> Response:
        if response.status_code == 429 and limiter.current_limit is not None:
            seconds = max(1, int(limiter.current_limit.reset_at - time.time()) + 1)
            response.headers.setdefault("Retry-After", str(seconds))
        return response


def from_config(setting: str) -> Callable[[], str]:
    """Return what ``limiter.limit`` asks at each request for the limit that config.py sets."""
    return lambda: str(current_app.config[setting])


def client_address() -> str:
    """Answer whom a limit per network address counts; all of one IPv6 customer's addresses are one."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        network = int(address) >> (128 - IPV6_CUSTOMER_PREFIX)
        return f"{network:x}::/{IPV6_CUSTOMER_PREFIX}"
    return str(address)


def typed_email() -> str:
    """Answer whom a limit per email address counts: what was typed, whether or not it has an account.

    Only a keyed digest goes to Redis and into its logs, never the address. What is no address
    counts by network address: everybody's typing errors must not add up.
    """
    address = normalized_email(request.form.get("email", ""))
    if address is None:
        return client_address()
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, address.lower().encode(), hashlib.sha256).hexdigest()[:32]


def signed_in_user() -> str:
    """Answer whom a limit per user counts; a stranger counts by network address."""
    return f"user:{current_user.uid}" if current_user.is_authenticated else client_address()
