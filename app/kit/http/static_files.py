"""Serve built files with WhiteNoise, before Flask sees the request."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.responders import MissingFileError

from app.kit.http.security_headers import FILE_CSP, file_headers

FINGERPRINTED = re.compile(r"\.[0-9a-f]{12}\.\w+$")


def init_app(app: Flask) -> None:
    """Serve ``app/static`` at /static/, with the compressed copies of the build for browsers that accept them.

    Fingerprinted files never change, so browsers cache them forever. In development a new build shows at once.
    """
    folder = Path(app.root_path) / "static"
    folder.mkdir(exist_ok=True)
    headers = {**file_headers(app), "Content-Security-Policy": FILE_CSP}

    def add_headers(response_headers: Headers, _path: str, _url: str) -> None:
        for name, value in headers.items():
            response_headers[name] = value

    app.wsgi_app = _Files(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(folder),
        prefix="/static/",
        autorefresh=app.config["ASSETS_AUTO_BUILD"],
        add_headers_function=add_headers,
        allow_all_origins=False,
        immutable_file_test=lambda _path, url: FINGERPRINTED.search(url) is not None,
    )


class _Files(WhiteNoise):
    """Passes methods other than GET and HEAD, and impossible file names, to the application, which refuses them."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        serve = super().__call__ if environ["REQUEST_METHOD"] in {"GET", "HEAD"} else self.application
        return serve(environ, start_response)

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> Any:
        # In development WhiteNoise looks for a file at each request, and fails on a NUL or a name that is too long.
        if stat_cache is None and not os.path.exists(path):  # noqa: PTH110
            raise MissingFileError(path)
        return super().get_static_file(path, url, stat_cache)
