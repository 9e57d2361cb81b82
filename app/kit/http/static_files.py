"""Serve built files with WhiteNoise, before Flask sees the request."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from flask import Flask, Response
from whitenoise import WhiteNoise
from whitenoise.responders import MissingFileError

from app.kit.http.security_headers import FILE_CSP, file_headers

PREFIX = "/static/"
FINGERPRINTED = re.compile(rf"{PREFIX}[\w.-]+\.[0-9a-f]{{12}}\.\w+", re.ASCII)


def init_app(app: Flask, counterpart: Callable[[str], str | None]) -> None:
    """Serve ``app/static`` at /static/, with the compressed copies of the build for browsers that accept them.

    Fingerprinted files never change, so browsers cache them forever. In development a new build shows at once.
    ``counterpart`` returns the URL that this release has for a file of another one.
    """
    folder = Path(app.root_path) / "static"
    folder.mkdir(exist_ok=True)
    headers = {**file_headers(app), "Content-Security-Policy": FILE_CSP}

    def add_headers(response_headers: Headers, _path: str, _url: str) -> None:
        for name, value in headers.items():
            response_headers[name] = value

    app.wsgi_app = _Files(  # type: ignore[method-assign]
        app.wsgi_app,
        folder,
        counterpart,
        autorefresh=app.config["ASSETS_AUTO_BUILD"],
        add_headers_function=add_headers,
        allow_all_origins=False,
        immutable_file_test=lambda _path, url: FINGERPRINTED.fullmatch(url) is not None,
    )


class _Files(WhiteNoise):
    """Serves the files of all builds in the folder, the later ones too.

    During an update, releases run side by side: a page of one asks the other for its styles. The file is either in
    the same folder, or (in containers) its counterpart has to do: a page never comes without style.
    """

    def __init__(self, application: Any, folder: Path, counterpart: Callable[[str], str | None], **options: Any):
        super().__init__(application, str(folder), PREFIX, **options)
        self._folder, self._counterpart = folder, counterpart

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Pass on methods other than GET and HEAD, and impossible file names: the application refuses them."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self.application(environ, start_response)
        url = environ.get("PATH_INFO", "")
        if url not in self.files and FINGERPRINTED.fullmatch(url):
            with suppress(MissingFileError):
                self.add_file_to_dictionary(url, str(self._folder / url.removeprefix(PREFIX)))
            if url not in self.files and (own := self._counterpart(url)):
                moved = Response(status=302, headers={"Location": own, "Cache-Control": "no-store"})
                return moved(environ, start_response)
        return super().__call__(environ, start_response)

    def serve(self, static_file: Any, environ: dict[str, Any], start_response: Any) -> Any:
        """Return the file; one that was swept after the start is a 404."""
        try:
            return super().serve(static_file, environ, start_response)
        except FileNotFoundError:
            return self.application(environ, start_response)

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> Any:
        # In development WhiteNoise looks for a file at each request, and fails on a NUL or a name that is too long.
        if stat_cache is None and not os.path.exists(path):  # noqa: PTH110
            raise MissingFileError(path)
        return super().get_static_file(path, url, stat_cache)
