"""Where uploaded files are stored: in a folder, or in an S3-compatible bucket.

A path is ``<key>/<name>``: the key is random (``new_key``), the name is chosen by our code, and neither comes from a
visitor. All files of a key are deleted together. Both stores read and write in pieces, and raise only
:class:`StorageError`.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from secrets import token_hex
from typing import IO, Protocol

from flask import current_app

PIECE_BYTES = 64 * 1024
KEY = re.compile(r"[0-9a-f]{32}")
PATH = re.compile(rf"{KEY.pattern}/[0-9a-z][0-9a-z.-]*")


class StorageError(Exception):
    """The storage cannot be reached, is full, or refuses."""


class FileMissingError(StorageError, LookupError):
    """There is no such file."""


class Store(Protocol):
    """A place for files. Every method raises :class:`StorageError` if the place cannot be used."""

    def write(self, path: str, content: IO[bytes]) -> None:
        """Store ``content`` from its present position; nobody ever reads half of it."""

    def read(self, path: str) -> Iterator[bytes]:
        """Return the file in pieces. Raises :class:`FileMissingError` at once if it is missing."""

    def delete(self, key: str) -> None:
        """Delete all files of ``key``; none is no error."""

    def paths(self) -> Iterator[str]:
        """Return the paths of all files, in any order."""

    def keys_older_than(self, moment: datetime) -> Iterator[str]:
        """Return the keys whose files were written before ``moment``, in any order."""


def new_key() -> str:
    """Return a key that nobody can guess; it is a safe file name on every system."""
    return token_hex(16)


def current_store() -> Store:
    """Return the store of the current application."""
    return current_app.extensions["storage"]


def checked_path(path: str) -> str:
    """Return ``path``. Raises ValueError for one that could lead out of the store."""
    if not PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path of a stored file")
    return path
