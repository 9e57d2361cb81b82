"""A list that the database searches, filters, sorts and pages, as the URL asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from flask import current_app, request
from sqlalchemy import ColumnElement, Select, inspect

from app.kit.db.session import count_up_to, current_session
from app.kit.pages import position
from app.kit.pages.found import Search, find
from app.kit.pages.position import LAST_PAGE, START, Column, Position

Condition = ColumnElement[bool]
Choices = Mapping[str, Condition]
Filter = Choices | Callable[[str], Condition | None]

SEARCH_MAX_LENGTH = 100
SEARCH_MAX_WORDS = 5
FILTER_MAX_LENGTH = 100
# Rows are counted up to here: a database reads all rows that it counts.
COUNTED = 10_000
# PostgreSQL refuses NUL in text, no driver encodes a lone surrogate, and nobody searches for either.
UNSEARCHABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Table:
    """One page of a list, with what its template needs to draw headers, filters and page links."""

    rows: Sequence[Any]
    # The number of rows in the list; where `is_more`, of those that were counted or found.
    total: int
    is_more: bool
    # The position of the page's first row, from 1, or None where the pages before it were not counted.
    first: int | None
    previous: str | None
    following: str | None
    sort: str
    direction: str
    search: str
    chosen: Mapping[str, str]
    # Whether a search has found more rows than the list has.
    is_capped: bool = False

    @classmethod
    def from_request(
        cls,
        query: Select[Any],
        *,
        columns: Mapping[str, Column | Sequence[Column]],
        search: Search = (),
        filters: Mapping[str, Filter] | None = None,
        sort: str = "",
        per_page: int | None = None,
    ) -> Table:
        """Run ``query``, which selects one model, as the URL of the request asks: one count and one page.

        ``columns`` are those that may be sorted by, each with a column or several; none may be NULL (use
        ``coalesce``), and a long list needs an index for each. ``sort`` names the default one ("-name": descending).
        Every word of ``?search=`` must be found. ``filters`` maps a query parameter to the conditions of its values,
        or to a function that returns the condition for a value, None for an unknown one. Everything else in the query
        string is ignored, and a position that is no longer valid is the start: no URL is an error.
        """
        words, chosen = _searched(), _chosen(filters or {})
        sort_name, direction = _sort(columns, sort)
        values = {name: value for name, (value, _) in chosen.items()}
        state = _state(words, sort_name, direction, values)
        conditions = [condition for _, condition in chosen.values()]
        query = query.where(*conditions)
        found = find(query, search, words)
        pages = _Pages(
            query.where(*found.conditions),
            _keys(query, columns.get(sort_name)),
            direction == "desc",
            per_page or current_app.config["ROWS_PER_PAGE"],
            address=_address(request.path, state),
            total=found.total,
        )
        rows, total, first, previous, following = pages.read(request.args.get("at", ""))
        is_more, total = total > COUNTED or found.is_capped, min(total, COUNTED)
        place = (first, previous, following)
        return cls(rows, total, is_more, *place, sort_name, direction, words, values, found.is_capped)

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a filter hides rows; an empty page then says so instead of inviting to add one."""
        return bool(self.search or self.chosen)

    @property
    def range(self) -> str:
        """Which rows these are, and of how many: "26–50 of more than 10,000", "1–25 of the first 1,000 found"."""
        if not self.rows:
            return "Nothing to show"
        number = f"{'more than ' if self.is_more else ''}{self.total:,}"
        if self.is_capped:
            number = f"the first {self.total:,} found; more words or a filter find others"
        if self.first is None:
            return f"{len(self.rows)} of {number}"
        return f"{self.first:,}\u2013{self.first + len(self.rows) - 1:,} of {number}"

    @cached_property
    def state(self) -> dict[str, str]:
        """The query parameters except the position; a form repeats them in hidden fields."""
        return _state(self.search, self.sort, self.direction, self.chosen)

    def url(self, **changes: str | None) -> str:
        """Return the URL of this list with ``changes`` made; without a position in them, of its first page."""
        return _address(request.script_root + request.path, {**self.state, **changes})

    @property
    def last_url(self) -> str:
        """The URL of the list's last page."""
        return self.url(at=LAST_PAGE)

    def sort_url(self, column: str) -> str:
        """Return the URL that sorts by ``column``; a second click on the same header reverses the order."""
        turn = column == self.sort and self.direction == "asc"
        return self.url(sort=column, direction="desc" if turn else "asc")


@dataclass(frozen=True)
class _Pages:
    """An ordered query that is read page by page."""

    query: Select[Any]
    keys: Sequence[Column]
    descending: bool
    per_page: int
    address: str
    # How many rows the query has, if that is known without counting them.
    total: int | None

    def read(self, asked: str) -> tuple[Sequence[Any], int, int | None, str | None, str | None]:
        """Return the rows of a page, their total, the first row's position, and the neighboring pages' positions."""
        place = position.load(asked, self.address, self.keys) if asked else START
        rows, is_more = self._rows(place)
        if not rows and place is not START:
            place = START
            rows, is_more = self._rows(place)
        total = place.total if self.total is None else self.total
        if total is None and place is START and not is_more:
            total = len(rows)
        elif total is None:
            total = count_up_to(COUNTED + 1, self.query.order_by(None).with_only_columns(self.keys[-1]))
        before = self._before(place, len(rows), total)
        if not rows:
            return [], total, None, None, None
        has_previous = is_more if place.backward else place is not START
        has_next = is_more if not place.backward else asked != LAST_PAGE
        after = None if before is None else before + len(rows)
        return (
            [row[0] for row in rows],
            # Rows may have been added since they were counted.
            max(total, after or 0),
            None if before is None else before + 1,
            self._link(Position(rows[0][1:], True, before, total)) if has_previous else None,
            self._link(Position(rows[-1][1:], False, after, total)) if has_next else None,
        )

    def _rows(self, place: Position) -> tuple[Sequence[Any], bool]:
        """Return the rows next to ``place`` with their sort values, and whether more follow on that side."""
        descending = self.descending is not place.backward
        order = [key.desc() if descending else key.asc() for key in self.keys]
        narrowed = self.query.where(*place.beyond(self.keys, self.descending)).order_by(None).order_by(*order)
        rows = current_session().execute(narrowed.add_columns(*self.keys).limit(self.per_page + 1)).all()
        shown = rows[: self.per_page]
        return shown[::-1] if place.backward else shown, len(rows) > self.per_page

    def _before(self, place: Position, length: int, total: int) -> int | None:
        if not place.backward:
            return place.before
        if place.values:
            return None if place.before is None else max(0, place.before - length)
        return None if total > COUNTED else max(0, total - length)

    def _link(self, place: Position) -> str:
        return position.dump(place, self.address)


def _state(search: str, sort: str, direction: str, chosen: Mapping[str, str]) -> dict[str, str]:
    wanted = {"search": search, "sort": sort, "direction": direction, **chosen}
    return {name: value for name, value in wanted.items() if value}


def _address(path: str, values: Mapping[str, str | None]) -> str:
    wanted = [(name, value) for name, value in values.items() if value is not None]
    return f"{quote(path)}?{urlencode(wanted)}" if wanted else quote(path)


def _searched() -> str:
    return clean(request.args.get("search", ""))


def clean(words: str) -> str:
    """Return the words of a search as a list looks for them."""
    return " ".join(UNSEARCHABLE.sub(" ", words)[:SEARCH_MAX_LENGTH].split()[:SEARCH_MAX_WORDS])


def _chosen(filters: Mapping[str, Filter]) -> dict[str, tuple[str, Condition]]:
    chosen = {}
    for name, choices in filters.items():
        value = UNSEARCHABLE.sub("", request.args.get(name, ""))[:FILTER_MAX_LENGTH].strip()
        if not value:
            continue
        condition = choices(value) if callable(choices) else choices.get(value)
        if condition is not None:
            chosen[name] = (value, condition)
    return chosen


def _sort(columns: Mapping[str, Any], default: str) -> tuple[str, str]:
    asked = request.args.get("sort", "")
    if asked in columns:
        return asked, "desc" if request.args.get("direction") == "desc" else "asc"
    return default.removeprefix("-"), "desc" if default.startswith("-") else "asc"


def _keys(query: Select[Any], columns: Column | Sequence[Column] | None) -> list[Column]:
    """Return what to sort by, with the primary key last: rows that tie would otherwise move between pages."""
    entity = query.column_descriptions[0]["entity"]
    wanted = [] if columns is None else list(columns) if isinstance(columns, Sequence) else [columns]
    return [*wanted, *inspect(entity).primary_key]
