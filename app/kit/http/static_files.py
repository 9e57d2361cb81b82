"""Serving built files straight from the server process, before Flask sees the request."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.responders import MissingFileError, StaticFile

from app.kit.http.security_headers import FILE_CSP, file_headers

FINGERPRINTED = re.compile(r"\.[0-9a-f]{12}\.\w+$")


def init_app(app: Flask) -> None:
    """Serve ``app/static`` at /static/, the copies compressed at build time to browsers that take them.

    A fingerprinted file never changes and is kept forever. In development a new build shows at once.
    """
    folder = Path(app.root_path) / "static"
    folder.mkdir(exist_ok=True)
    headers = {**file_headers(https=not app.config["SSL_DISABLE"]), "Content-Security-Policy": FILE_CSP}

    def add_headers(response_headers: Headers, _path: str, _url: str) -> None:
        for name, value in headers.items():
            response_headers[name] = value

    app.wsgi_app = _Files(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(folder),
        prefix="/static/",
        autorefresh=app.config["ASSETS_AUTO_BUILD"],
        add_headers_function=add_headers,
        immutable_file_test=lambda _path, url: FINGERPRINTED.search(url) is not None,
    )


class _Files(WhiteNoise):
    """Serves Zstandard copies, too, and leaves whatever is no reading to the application, which refuses it safely."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        serve = super().__call__ if environ["REQUEST_METHOD"] in {"GET", "HEAD"} else self.application
        return serve(environ, start_response)

    @staticmethod
    def is_compressed_variant(path: str, stat_cache: Any = None) -> bool:
        return path.endswith(".zst") or WhiteNoise.is_compressed_variant(path, stat_cache)

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        # StaticFile, and Path.exists, fail on a name that no file can have: a NUL, or too long.
        if stat_cache is None and not os.path.exists(path):  # noqa: PTH110
            raise MissingFileError(path)
        headers = Headers([])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        self.add_headers_function(headers, path, url)
        # Of what a browser takes, StaticFile sends the smallest.
        copies = {"zstd": f"{path}.zst", "br": f"{path}.br", "gzip": f"{path}.gz"}
        return StaticFile(path, headers.items(), copies, stat_cache)
