"""Numbers in addresses."""

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

LARGEST_ROW_ID = 2**31 - 1  # of PostgreSQL's integer


class RowIdIntegerConverter(IntegerConverter):
    """``<int:…>`` in a route: a number that can be a row's id, or the page does not exist.

    SQLite's driver overflows at 2^63, PostgreSQL refuses at 2^31, and int() refuses 4300 digits:
    each would be an error page that anybody can call up.
    """

    regex = r"\d{1,10}"

    def __init__(self, url_map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(url_map, *args, **{"max": LARGEST_ROW_ID, **kwargs})


def init_app(app: Flask) -> None:
    """Make it the meaning of ``<int:…>``; call this before any route is added."""
    app.url_map.converters["int"] = RowIdIntegerConverter
