"""URL converters for numbers and text."""

import re
from typing import Any

from flask import Flask
from werkzeug.routing import (
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    Map,
    PathConverter,
    UnicodeConverter,
    ValidationError,
)

LARGEST_ROW_ID = 2**31 - 1  # the largest value of PostgreSQL's integer
# NUL and lone surrogates cannot be stored, so no row has such a name; U+FFFD replaces bytes that are not UTF-8.
NO_NAME = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffd]")


def row_id(text: str) -> int | None:
    """Return the number in a query parameter or a stored filter if it can be a row's id, else None."""
    # The length first, because int() refuses thousands of digits.
    return int(text) if len(text) < 20 and text.isdecimal() and int(text) <= LARGEST_ROW_ID else None


class RowIdIntegerConverter(IntegerConverter):
    """``<int:…>`` in a route: a number that can be a row's id; any other is a 404.

    SQLite's driver overflows at 2^63, PostgreSQL refuses at 2^31, and int() refuses 4300 digits: each would be a
    500 that anybody can cause.
    """

    regex = r"\d{1,10}"

    def __init__(self, url_map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(url_map, *args, **{"min": -LARGEST_ROW_ID, "max": LARGEST_ROW_ID, **kwargs})


class FiniteFloatConverter(FloatConverter):
    """``<float:…>``: a finite number. 400 digits would be infinity, which fails where a view rounds it."""

    regex = r"\d{1,15}\.\d{1,15}"


class _Plain(BaseConverter):
    def to_python(self, value: str) -> str:
        """Return ``value``. Raises ValidationError when it cannot be stored."""
        if NO_NAME.search(value):
            raise ValidationError
        return value


class PlainTextConverter(_Plain, UnicodeConverter):
    """``<…>`` and ``<string:…>``: text that can be stored; any other is a 404."""


class PlainPathConverter(_Plain, PathConverter):
    """``<path:…>``: a path that can be stored; any other is a 404."""


def init_app(app: Flask) -> None:
    """Register these converters; call this before adding any route."""
    app.url_map.converters.update(
        default=PlainTextConverter,
        string=PlainTextConverter,
        path=PlainPathConverter,
        int=RowIdIntegerConverter,
        float=FiniteFloatConverter,
    )
