"""Find the current build of an asset in the static folder."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

MANIFEST_NAME = "manifest.json"
FINGERPRINT = re.compile(r"\.[0-9a-f]{12}(?=\.\w+$)")


class AssetManifest:
    """The JSON manifest that a build writes, cached in this process.

    ``build`` is a hash of the manifest. It is part of the key of everything cached that contains asset URLs.
    """

    def __init__(self, folder: Path, url_prefix: str) -> None:
        self.path = folder / MANIFEST_NAME
        self.url_prefix = url_prefix
        self.build = ""
        self._urls: dict[str, str] = {}
        self._read_at_ns = -1

    def url(self, name: str) -> str:
        """Return the URL of the asset ``name``. Raises KeyError when the build did not make it."""
        return self._urls[name] if name in self._urls else self._read()[name]

    def counterpart(self, url: str) -> str | None:
        """Return the URL that this build has for a file which another build has at ``url``."""
        plain = FINGERPRINT.sub("", url)
        return next((own for own in self._urls.values() if own != url and FINGERPRINT.sub("", own) == plain), None)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return those of ``names`` that the last build did not make, or all of them when there was none."""
        known = self._read()
        return [name for name in names if name not in known]

    def is_older_than(self, sources: Path) -> bool:
        """Return whether a file below ``sources`` was saved after the last build; if so, clear the cached URLs."""
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
