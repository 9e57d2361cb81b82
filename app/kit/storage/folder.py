"""Files in a folder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from app.kit.storage.store import KEY, PATH, PIECE_BYTES, FileMissingError, StorageError, checked_path


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
        pieces = self._pieces(path)
        next(pieces)  # opens it
        return pieces

    def _pieces(self, path: str) -> Iterator[bytes]:
        # Whoever closes or forgets the generator closes the file, too, because the file was opened inside.
        with _storage_errors(), self._file(path).open("rb") as file:
            yield b""
            while piece := file.read(PIECE_BYTES):
                yield piece

    def delete(self, key: str) -> None:
        """Delete the folder ``key``."""
        with _storage_errors(), suppress(FileNotFoundError):
            shutil.rmtree(self._file(f"{key}/all").parent)

    def paths(self) -> Iterator[str]:
        """Return the paths of all files."""
        if self._folder is not None:
            with _storage_errors():
                found = (file.relative_to(self._folder).as_posix() for file in self._folder.glob("*/*"))
                yield from (path for path in found if PATH.fullmatch(path))

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


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissingError(str(error)) from error
    except OSError as error:
        raise StorageError(str(error)) from error
