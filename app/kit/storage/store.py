"""Where uploaded files are stored: in a folder, or in an S3-compatible bucket.

A path is ``<key>/<name>``: the key is random (``new_key``), the name is chosen by our code, and neither comes from a
visitor. All files of a key are deleted together. Both stores read and write in pieces, and raise only
:class:`StorageError`.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile
from typing import IO, Protocol

from flask import Flask, current_app

PIECE_BYTES = 64 * 1024
KEY = re.compile(r"[0-9a-f]{32}")
PATH = re.compile(rf"{KEY.pattern}/[0-9a-z][0-9a-z.-]*")


class StorageError(Exception):
    """The storage cannot be reached, is full, or refuses."""


class FileMissingError(StorageError):
    """There is no such file."""


class Store(Protocol):
    """A place for files. Every method raises :class:`StorageError` if the place cannot be used."""

    def write(self, path: str, content: IO[bytes]) -> None:
        """Store ``content`` from its present position; nobody ever reads half of it."""

    def read(self, path: str) -> Iterator[bytes]:
        """Return the file in pieces. Raises :class:`FileMissingError` at once if it is missing."""

    def delete(self, key: str) -> None:
        """Delete all files of ``key``; none is no error."""

    def keys_older_than(self, moment: datetime) -> Iterator[str]:
        """Return the keys whose files were written before ``moment``, in any order."""


def new_key() -> str:
    """Return a key that nobody can guess; it is a safe file name on every system."""
    return token_hex(16)


def init_app(app: Flask) -> None:
    """Set ``app.extensions["storage"]`` to the bucket at UPLOADS_BUCKET, else to the folder UPLOADS_FOLDER."""
    if app.config["UPLOADS_BUCKET"]:
        # Imported here, because obstore is an optional package.
        from app.kit.storage.bucket import BucketStore

        app.extensions["storage"] = BucketStore(
            app.config["UPLOADS_BUCKET"],
            endpoint=app.config["UPLOADS_ENDPOINT"],
            region=app.config["UPLOADS_REGION"],
            access_key_id=app.config["UPLOADS_ACCESS_KEY_ID"],
            secret_access_key=app.config["UPLOADS_SECRET_ACCESS_KEY"],
        )
    else:
        app.extensions["storage"] = FolderStore(app.config["UPLOADS_FOLDER"])


def current_store() -> Store:
    """Return the store of the current application."""
    store: Store = current_app.extensions["storage"]
    return store


def checked_path(path: str) -> str:
    """Return ``path``. Raises ValueError for one that could lead out of the store."""
    if not PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path of a stored file")
    return path


class FolderStore:
    """Stores files in a folder that all processes of the site share; None stores nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def write(self, path: str, content: IO[bytes]) -> None:
        """Write to a temporary file first, which then gets its name."""
        with _storage_errors():
            target = self._file(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=target.parent, delete=False) as file:
                shutil.copyfileobj(content, file, PIECE_BYTES)
            Path(file.name).replace(target)

    def read(self, path: str) -> Iterator[bytes]:
        """Return the file in pieces."""
        with _storage_errors():
            file = self._file(path).open("rb")
        return _pieces(file)

    def delete(self, key: str) -> None:
        """Delete the folder ``key``."""
        with _storage_errors(), suppress(FileNotFoundError):
            shutil.rmtree(self._file(f"{key}/all").parent)

    def keys_older_than(self, moment: datetime) -> Iterator[str]:
        """Return the folders that were changed last before ``moment``."""
        with _storage_errors(), suppress(FileNotFoundError):
            for folder in self._root().iterdir():
                if KEY.fullmatch(folder.name) and datetime.fromtimestamp(folder.stat().st_mtime, UTC) < moment:
                    yield folder.name

    def _file(self, path: str) -> Path:
        return self._root() / checked_path(path)

    def _root(self) -> Path:
        if self._folder is None:
            raise StorageError("set UPLOADS_BUCKET: files on the disk of this platform are lost, and not shared")
        return self._folder


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file, _storage_errors():
        while piece := file.read(PIECE_BYTES):
            yield piece


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissingError(str(error)) from error
    except OSError as error:
        raise StorageError(str(error)) from error
