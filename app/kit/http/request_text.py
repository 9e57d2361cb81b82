"""The text of a request, made storable in every database.

PostgreSQL refuses NUL in text, and no driver encodes a lone surrogate: either would be a 500 that anybody can
cause, with any field of any form. Werkzeug replaces bytes that are not UTF-8 with U+FFFD, the replacement
character; this module does the same with these characters. A form then refuses U+FFFD
(:mod:`app.kit.forms.field_errors`).
"""

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
    """Give every view, those of a fork included, only text that can be stored."""
    app.request_class = StorableTextRequest


def storable(text: str) -> str:
    """Return ``text`` with U+FFFD for each character that cannot be stored."""
    return UNSTORABLE.sub(REPLACEMENT_CHARACTER, text)


class StorableFormParser(FormDataParser):
    """Werkzeug's form parser, which by itself lets NUL through and gives a nameless part the name None."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Return the body's stream, fields and files. A part without a name ends the request with 400."""
        stream, form, files = super().parse(stream, mimetype, content_length, options)
        if None in form or None in files:
            _refuse_part_without_name(files)
        for _name, file in files.items(multi=True):
            file.filename = storable(file.filename) if file.filename else file.filename
        return stream, self.cls(_storable_items(form)), files


def _refuse_part_without_name(files: MultiDict[str, FileStorage]) -> NoReturn:
    """End the request with 400: no browser sends such a part, and code that looks up fields, as in Flask-WTF, fails."""
    for _name, file in files.items(multi=True):
        file.close()  # the request does not know them yet, and would not close them
    abort(400, "A part of the form has no name.")


class StorableTextRequest(Request):
    """Flask's request, with form fields, query parameters and User-Agent that can be stored."""

    form_data_parser_class = StorableFormParser

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """Return the query parameters."""
        return self.parameter_storage_class(_storable_items(super().args))

    @cached_property
    def user_agent(self) -> UserAgent:
        """Return the User-Agent, the only header that is stored."""
        return self.user_agent_class(storable(self.headers.get("User-Agent", "")))


def _storable_items(texts: MultiDict[str, str]) -> list[tuple[str, str]]:
    return [(storable(name), storable(text)) for name, text in texts.items(multi=True)]


class ChunkedBody:
    """The server's stream of a chunked body, in which any error is the client's mistake (400).

    Gunicorn reads the chunks only while the application reads the body, and raises exceptions of its own there,
    which would be a 500.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, *size: int) -> bytes:
        """Return up to ``size`` bytes. A malformed chunk or trailer ends the request with 400."""
        try:
            return bytes(self._stream.read(*size))
        except Exception:
            abort(400, "The body is not made of valid chunks.")
