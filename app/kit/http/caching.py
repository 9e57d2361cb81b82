"""The cache of the site: Flask-Caching, in this process or in Redis (CACHE_REDIS_URL).

The kit caches two things: whole pages for anonymous visitors (here) and template fragments
(:mod:`app.kit.pages.fragments`). Each has a key that contains everything it depends on, and a lifetime.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from cachelib.serializers import BaseSerializer
from flask import Flask, Response, current_app, g, request, session
from flask.cli import with_appcontext
from flask_caching import Cache
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.kit.http.security_headers import has_own_policy

Variant = Callable[[], tuple[str, ...]]
BYTES = b"!"
ETAG_LENGTH = 32
# A slower cache is of no use.
REDIS_OPTIONS = {"socket_timeout": 0.1, "socket_connect_timeout": 0.1, "retry": Retry(NoBackoff(), 0)}

log = logging.getLogger(__name__)


class SafeSerializer(BaseSerializer):
    """Stores bytes as they are and everything else as JSON; a pickle could run the code of an attacker in Redis."""

    def dumps(self, value: Any, *_options: Any) -> bytes:
        """Return ``value`` as bytes."""
        return BYTES + value if isinstance(value, bytes) else json.dumps(value).encode()

    def loads(self, bvalue: bytes | None) -> Any:
        """Return the stored value, or None when there is none."""
        if bvalue is None:
            return None
        return bvalue[1:] if bvalue.startswith(BYTES) else json.loads(bvalue)


class CompressedPages:
    """Stores the compressed bytes of cached pages, and of no others, for Flask-Compress (COMPRESS_CACHE_BACKEND)."""

    def get(self, key: str) -> bytes | None:
        """Return the compressed bytes of a cached page, or None."""
        found = _get(key) if _is_of_cached_page(key) else None
        g.cached_page_is_compressed = found is not None
        return found

    def set(self, key: str, value: bytes) -> None:
        """Store the compressed bytes of a cached page, for as long as the page itself."""
        # Flask-Compress also passes back what it has just read from here.
        if _is_of_cached_page(key) and not g.cached_page_is_compressed:
            _set(key, value, g.cached_page_seconds)


def init_app(app: Flask, cache: Cache, variant: Variant, cookies: frozenset[str]) -> None:
    """Bind ``cache``; call this before binding Flask-Compress.

    ``variant`` returns what every page depends on besides its URL, such as the language or the theme. ``cookies``
    names the cookies that ``variant`` reads; a visitor with any other cookie gets no cached page.
    """
    kind = app.config["CACHE_TYPE"]
    app.config.update(
        COMPRESS_CACHE_BACKEND=CompressedPages, COMPRESS_CACHE_KEY=lambda _request: g.get("cached_page_key", "")
    )
    options = {
        "CACHE_SERIALIZER": None if kind == "NullCache" else SafeSerializer,
        "CACHE_OPTIONS": REDIS_OPTIONS if kind == "RedisCache" else None,
    }
    cache.init_app(app, options)
    with app.app_context():
        app.extensions["page_cache"] = cache.cache
    app.extensions["page_variant"], app.extensions["page_cookies"] = variant, cookies


def cached_for_anonymous(seconds: int) -> Callable[[Callable[[], str]], Callable[[], str | Response]]:
    """Cache the page that a view renders for anonymous visitors, and its compressed bytes, for ``seconds``.

    The page may depend only on its URL and on what ``variant`` returns. A page is rendered anew each time if it
    uses the database, the session (as each form does) or a CSP of its own, or if the request has a query string or
    an unknown cookie.
    """

    def decorate(view: Callable[[], str]) -> Callable[[], str | Response]:
        @wraps(view)
        def cached() -> str | Response:
            if not _is_anonymous():
                return view()
            g.cached_page_seconds, g.cached_page_key = seconds, _key()
            page = _get(g.cached_page_key)
            if page is None:
                rendered = view()
                if not isinstance(rendered, str) or not _is_for_everyone():
                    del g.cached_page_key
                    return rendered
                page = _with_etag(rendered.encode())
                _set(g.cached_page_key, page, seconds)
            return _response(page)

        cached.cached_seconds = seconds  # type: ignore[attr-defined]
        return cached

    return decorate


def clear(app: Flask) -> None:
    """Delete everything that is cached: in Redis for all processes, else in this process."""
    app.extensions["page_cache"].clear()


@click.command("clear_cache")
@with_appcontext
def clear_cache() -> None:
    """Delete the pages cached in Redis.

    Without CACHE_REDIS_URL each process has its own cache, which a restart clears.
    """
    clear(current_app)


def current_variant() -> tuple[str, ...]:
    """Return what this page depends on besides its URL."""
    return current_app.extensions["page_variant"]()


def _is_anonymous() -> bool:
    return not request.query_string and current_app.extensions["page_cookies"] >= request.cookies.keys()


def _key() -> str:
    # Behind some proxies anybody can choose the script root, with which all links of the page begin.
    parts = (request.host, request.environ.get("SCRIPT_NAME"), request.path, *current_variant())
    return "page:" + hashlib.sha256(repr(parts).encode()).hexdigest()


def _is_for_everyone() -> bool:
    used_database = current_app.extensions["sqlalchemy"].session.registry.has()
    return not (used_database or has_own_policy() or session.modified)


def _with_etag(page: bytes) -> bytes:
    return hashlib.sha256(page).hexdigest()[:ETAG_LENGTH].encode() + page


def _response(page: bytes) -> Response:
    # Weak: the same page in another encoding has the same ETag (RFC 9110, 8.8.1).
    headers = {"ETag": f'W/"{page[:ETAG_LENGTH].decode()}"', "Vary": "Accept-Encoding, Cookie"}
    response = current_app.response_class(page[ETAG_LENGTH:], headers=headers)
    if "HTTP_IF_NONE_MATCH" in request.environ:
        response.make_conditional(request)
    return response


def _is_of_cached_page(key: str) -> bool:
    """Return whether Flask-Compress's key, "algorithm;key", contains the key of a cached page."""
    return not key.endswith(";")


def _get(key: str) -> bytes | None:
    try:
        return current_app.extensions["page_cache"].get(key)
    except RedisError as error:
        log.warning("the cache does not respond: %s", type(error).__name__)
        return None


def _set(key: str, value: bytes, seconds: int) -> None:
    try:
        current_app.extensions["page_cache"].set(key, value, timeout=seconds)
    except RedisError as error:
        log.warning("the cache does not respond: %s", type(error).__name__)
