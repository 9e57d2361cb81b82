"""Positions in a list: from which row the next or the previous page continues.

A list is paged by the values of its last row and not by a number of rows to skip (OFFSET): a database would read all
of those, and rows that are added or deleted meanwhile would move others from one page to the next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import ColumnElement, literal, tuple_
from sqlalchemy.orm import QueryableAttribute

from app.kit.core.signing import signing_keys

Column = ColumnElement[Any] | QueryableAttribute[Any]

LAST_PAGE = "end"
READERS: dict[type, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
}


@dataclass(frozen=True)
class Position:
    """A place between two rows: the sort values of a row next to it, and what earlier pages have counted.

    The values are those that the row had, so the place remains when the row is deleted.
    """

    values: Sequence[Any] = ()
    # Whether the page ends here instead of beginning here.
    backward: bool = False
    # How many rows are before the place, None if unknown, and how many the list has (None: not counted yet).
    before: int | None = 0
    total: int | None = None

    def beyond(self, keys: Sequence[Column], descending: bool) -> list[ColumnElement[bool]]:
        """Return the condition of the rows on the page's side. The keys are all ascending or all descending."""
        if not self.values:
            return []
        # As one row value: a database seeks it in the index, and would scan for `a > x OR (a = x AND id > y)`.
        row = tuple_(*keys)
        place = tuple_(*(literal(value, key.type) for value, key in zip(self.values, keys, strict=True)))
        return [row < place if descending is not self.backward else row > place]


START = Position()


def dump(position: Position, address: str) -> str:
    """Return a signed text for a query parameter, valid only at this address (path, search, sort order, filters)."""
    values = [value.isoformat() if isinstance(value, date) else value for value in position.values]
    values = [str(value) if isinstance(value, Decimal) else value for value in values]
    return _serializer(address).dumps([values, position.backward, position.before, position.total])


def load(text: str, address: str, keys: Sequence[Column]) -> Position:
    """Return the position of a query parameter, or the start of the list if it is forged or of another list."""
    if text == LAST_PAGE:
        return Position(backward=True, before=None)
    try:
        values, backward, before, total = _serializer(address).loads(text)
        read = [READERS.get(key.type.python_type, _unchanged)(value) for value, key in zip(values, keys, strict=True)]
    except (BadData, ValueError, TypeError):
        return START
    return Position(read, backward, before, total)


def _unchanged(value: Any) -> Any:
    return value


def _serializer(address: str) -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys(current_app.config), salt=f"position:{address}")
