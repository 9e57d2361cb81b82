"""Which query parameters and form fields a view reads, noticed while it reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.datastructures import ImmutableMultiDict


@contextmanager
def noticed_names(app: Flask) -> Iterator[set[str]]:
    """Yield the set into which every name goes that a view or form looks up in ``request.args`` or ``request.form``."""
    names: set[str] = set()

    class Noticing(ImmutableMultiDict[str, Any]):
        def __contains__(self, name: object) -> bool:
            if isinstance(name, str):
                names.add(name)
            return super().__contains__(name)

        def __getitem__(self, name: str) -> Any:
            names.add(name)
            return super().__getitem__(name)

        def getlist(self, name: str, type: Any = None) -> list[Any]:  # noqa: A002 - Werkzeug calls it so
            names.add(name)
            return super().getlist(name) if type is None else super().getlist(name, type)

    plain = app.request_class
    app.request_class = type("NoticingRequest", (plain,), {"parameter_storage_class": Noticing})
    try:
        yield names
    finally:
        app.request_class = plain
