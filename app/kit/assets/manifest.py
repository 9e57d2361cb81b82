"""Which file in the static folder is the current build of an asset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

MANIFEST_NAME = "manifest.json"


class AssetManifest:
    """The JSON file that a build leaves behind, read again only when it changed.

    ``build`` differs from build to build; it is part of the key of whatever is cached with addresses of assets in it.
    """

    def __init__(self, folder: Path, url_prefix: str) -> None:
        self.path = folder / MANIFEST_NAME
        self.url_prefix = url_prefix
        self.build = ""
        self._urls: dict[str, str] = {}
        self._read_at_ns = -1

    def url(self, name: str) -> str:
        """Answer the address of the asset called ``name``; KeyError when the build made none."""
        return self._urls[name] if name in self._urls else self._read()[name]

    def missing(self, names: Iterable[str]) -> list[str]:
        """Answer which of ``names`` the last build did not make; all of them when there was none."""
        known = self._read()
        return [name for name in names if name not in known]

    def is_older_than(self, sources: Path) -> bool:
        """Tell whether a file below ``sources`` was saved after the last build; forget what was read if so."""
        newest = max((path.stat().st_mtime_ns for path in sources.rglob("*")), default=0)
        if self._modified_ns() <= newest:
            self._urls = {}
            return True
        if self._read_at_ns != self._modified_ns():
            self._read()
        return False

    def _read(self) -> dict[str, str]:
        self._read_at_ns = self._modified_ns()
        if self._read_at_ns:
            text = self.path.read_text()
            self.build = hashlib.sha256(text.encode()).hexdigest()[:12]
            files = json.loads(text)
            self._urls = {name: self.url_prefix + file_name for name, file_name in files.items()}
        return self._urls

    def _modified_ns(self) -> int:
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0
