"""What a request says, as text that every database can store.

PostgreSQL refuses NUL in a text and no driver encodes a lone surrogate: each would be an error page
that anybody can call up, with any field of any form. Bytes that are no UTF-8 reach a view as U+FFFD, the
replacement character; so do these. A form then refuses U+FFFD (:mod:`app.kit.forms.form`).
"""

from __future__ import annotations

import re
from typing import IO, NoReturn

from flask import Flask, Request, abort
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.user_agent import UserAgent
from werkzeug.utils import cached_property

REPLACEMENT_CHARACTER = "\ufffd"
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def init_app(app: Flask) -> None:
    """Let every view, those of a fork too, see storable text only."""
    app.request_class = StorableTextRequest


def storable(text: str) -> str:
    """Return ``text`` with U+FFFD for each character that cannot be stored."""
    return UNSTORABLE.sub(REPLACEMENT_CHARACTER, text)


class StorableFormParser(FormDataParser):
    """Werkzeug's parser of form bodies, which lets NUL through and gives a part without a name the name None."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Return the body's stream, fields and files; a part without a name ends the request with 400."""
        stream, form, files = super().parse(stream, mimetype, content_length, options)
        if None in form or None in files:
            _refuse_part_without_name(files)
        for _name, file in files.items(multi=True):
            file.filename = storable(file.filename) if file.filename else file.filename
        return stream, self._storable(form), files

    def _storable(self, form: MultiDict[str, str]) -> MultiDict[str, str]:
        return self.cls(_storable_items(form)) if _has_unstorable(form) else form


def _refuse_part_without_name(files: MultiDict[str, FileStorage]) -> NoReturn:
    """End the request: no browser sends one, and who looks for a field by its name, as Flask-WTF does, fails on it."""
    for _name, file in files.items(multi=True):
        file.close()  # the request does not know them yet, and would leave them open
    abort(400, "A part of the form has no name.")


class StorableTextRequest(Request):
    """Flask's request, whose form, query parameters and browser's name can be stored."""

    form_data_parser_class = StorableFormParser

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The query parameters."""
        sent = super().args
        return self.parameter_storage_class(_storable_items(sent)) if _has_unstorable(sent) else sent

    @cached_property
    def user_agent(self) -> UserAgent:
        """The only header that is stored."""
        return self.user_agent_class(storable(self.headers.get("User-Agent", "")))


def _has_unstorable(texts: MultiDict[str, str]) -> bool:
    return any(UNSTORABLE.search(name) or UNSTORABLE.search(text) for name, text in texts.items(multi=True))


def _storable_items(texts: MultiDict[str, str]) -> list[tuple[str, str]]:
    return [(storable(name), storable(text)) for name, text in texts.items(multi=True)]


class ChunkedBody:
    """The server's stream of a chunked body: whatever it raises about a chunk is the client's mistake.

    Gunicorn reads the chunks only while the application reads the body, and raises errors of its own
    kind there, which would be a 500.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, *size: int) -> bytes:
        """Return up to ``size`` bytes; a malformed chunk or trailer ends the request with 400."""
        try:
            return bytes(self._stream.read(*size))
        except Exception:
            abort(400, "The body is not made of valid chunks.")
