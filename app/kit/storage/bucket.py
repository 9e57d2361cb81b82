"""Files in a bucket of Amazon S3 or of any service with its protocol, by way of obstore.

obstore instead of boto3: half the size, a seventh of the memory, and no checksums that other services refuse.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import IO, TYPE_CHECKING, ParamSpec, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from app.kit.storage.store import KEY, PATH, PIECE_BYTES, FileMissingError, StorageError, checked_path

# Short, because a page waits for it. There is one more try, for a connection that was closed meanwhile.
CONNECT_TIMEOUT = timedelta(seconds=2)
READ_TIMEOUT = timedelta(seconds=10)
RETRY_TIMEOUT = timedelta(seconds=10)
DEFAULT_REGION = "us-east-1"

if TYPE_CHECKING:
    from obstore.store import S3Config

P = ParamSpec("P")
R = TypeVar("R")


class BucketStore:
    """Stores files in the bucket ``url``, such as ``s3://bucket/prefix``.

    Without ``access_key_id``, obstore takes the credentials of the machine or of the variables AWS_….
    """

    def __init__(  # nosec B107 # an empty key means the credentials of the machine
        self, url: str, endpoint: str = "", region: str = "", access_key_id: str = "", secret_access_key: str = ""
    ) -> None:
        self._url = urlsplit(url)
        # Not every service deletes several files in one request.
        self._settings: S3Config = {"region": region or DEFAULT_REGION, "disable_bulk_delete": True}
        if endpoint:
            self._settings["endpoint"] = endpoint
        if access_key_id:
            self._settings |= {"access_key_id": access_key_id, "secret_access_key": secret_access_key}

    def write(self, path: str, content: IO[bytes]) -> None:
        """Store ``content``; large files are sent in parts."""
        with _storage_errors():
            _beside(obstore.put, self._store, checked_path(path), content)

    def read(self, path: str) -> Iterator[bytes]:
        """Return the file in pieces."""
        with _storage_errors():
            found = _beside(obstore.get, self._store, checked_path(path))
        return _pieces(iter(found.stream(min_chunk_size=PIECE_BYTES)))

    def delete(self, key: str) -> None:
        """Delete the files of ``key``."""
        if KEY.fullmatch(key):
            with _storage_errors():
                for paths in self._pages(key):
                    _beside(obstore.delete, self._store, list(paths))

    def paths(self) -> Iterator[str]:
        """Return the paths of all files."""
        with _storage_errors():
            for paths in self._pages():
                yield from (path for path in paths if PATH.fullmatch(path))

    def keys_older_than(self, moment: datetime) -> Iterator[str]:
        """Return the keys that have a file written before ``moment``."""
        with _storage_errors():
            for paths in self._pages():
                keys = {path.partition("/")[0] for path, written_at in paths.items() if written_at < moment}
                yield from (key for key in keys if KEY.fullmatch(key))

    def _pages(self, prefix: str | None = None) -> Iterator[dict[str, datetime]]:
        """Return the paths with the time of writing, in pages as the service returns them."""
        pages = iter(obstore.list(self._store, prefix))
        while page := _beside(next, pages, []):
            yield {file["path"]: file["last_modified"] for file in page}

    @cached_property
    def _store(self) -> S3Store:
        # Made at first use: a thread of obstore's does not survive the fork of a web process.
        return S3Store(
            self._url.netloc,
            prefix=self._url.path.strip("/") or None,
            config=self._settings,
            client_options={"allow_http": True, "connect_timeout": CONNECT_TIMEOUT, "read_timeout": READ_TIMEOUT},
            retry_config={"max_retries": 1, "retry_timeout": RETRY_TIMEOUT},
        )


def _pieces(stream: Iterator[bytes]) -> Iterator[bytes]:
    with _storage_errors():
        while piece := _beside(next, stream, None):
            yield bytes(piece)


def _beside(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """Call ``function``; under gevent in a thread, so that other requests go on while this one waits for the bucket."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return function(*arguments, **options)
    # Imported here: only gunicorn's gevent worker has it.
    from gevent import get_hub

    return get_hub().threadpool.apply(function, arguments, options)


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotFoundError) as error:
        raise FileMissingError(str(error)) from error
    except (BaseError, OSError) as error:
        raise StorageError(str(error).partition("\n")[0]) from error
