"""A list that the database searches, filters, sorts and pages, as the URL asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from flask import current_app, request
from sqlalchemy import ColumnElement, Select, func, inspect, or_, select
from sqlalchemy.orm import QueryableAttribute

from app.kit.db.session import current_session

Column = ColumnElement[Any] | QueryableAttribute[Any]
# A column to sort by, or several: the first decides, the next where it is equal.
SortKey = Column | tuple[Column, ...]
Condition = ColumnElement[bool]
Choices = Mapping[str, Condition]
Filter = Choices | Callable[[str], Condition | None]

SEARCH_MAX_LENGTH = 100
SEARCH_MAX_WORDS = 5
FILTER_MAX_LENGTH = 100
# int() of thousands of digits is slow, and no list has that many pages.
PAGE_NUMBER = re.compile(r"[0-9]{1,9}")
# PostgreSQL refuses NUL in text, no driver encodes a lone surrogate, and nobody searches for either.
UNSEARCHABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Table:
    """One page of a list, with what its template needs to draw headers, filters and page links."""

    rows: Sequence[Any]
    total: int
    page: int
    pages: int
    per_page: int
    sort: str
    direction: str
    search: str
    chosen: Mapping[str, str]

    @classmethod
    def from_request(
        cls,
        query: Select[Any],
        *,
        columns: Mapping[str, SortKey],
        search: Sequence[Column] = (),
        filters: Mapping[str, Filter] | None = None,
        sort: str = "",
        per_page: int | None = None,
    ) -> Table:
        """Run ``query``, which selects one model, as the URL of the request asks: one count and one page.

        ``columns`` are those that may be sorted by; ``sort`` names the default one ("-name": descending). Every
        word of ``?search=`` must be in one of the ``search`` columns. ``filters`` maps a query parameter to the
        conditions of its values, or to a function that returns the condition for a value, None for an unknown one.
        Everything else in the query string is ignored, and a page beyond the end is the last one: no URL is an
        error.
        """
        per_page = per_page or current_app.config["ROWS_PER_PAGE"]
        words, chosen = _searched(), _chosen(filters or {})
        conditions = _search_conditions(words, search) + [condition for _, condition in chosen.values()]
        query = query.where(*conditions) if conditions else query
        sort_name, direction = _sort(columns, sort)
        session = current_session()

        total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        pages = max(1, -(-total // per_page))
        page = min(_page_number(), pages)
        ordered = query.order_by(None).order_by(*_order(query, columns.get(sort_name), direction))
        rows = session.scalars(ordered.limit(per_page).offset((page - 1) * per_page)).all()

        values = {name: value for name, (value, _) in chosen.items()}
        return cls(rows, total, page, pages, per_page, sort_name, direction, words, values)

    @property
    def first(self) -> int:
        """The position of the page's first row in the whole list, from 1; 0 when there is none."""
        return (self.page - 1) * self.per_page + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The position of the page's last row in the whole list, from 1."""
        return (self.page - 1) * self.per_page + len(self.rows)

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a filter hides rows; an empty page then says so instead of inviting to add one."""
        return bool(self.search or self.chosen)

    @cached_property
    def state(self) -> dict[str, str]:
        """The query parameters except the page number; a form repeats them in hidden fields."""
        wanted = {"search": self.search, "sort": self.sort, "direction": self.direction, **self.chosen}
        return {name: value for name, value in wanted.items() if value}

    def url(self, **changes: str | int | None) -> str:
        """Return the URL of this list with ``changes`` made; without a page number in them, of its first page."""
        return _address(self._path, tuple({**self.state, **changes}.items()))

    @cached_property
    def _path(self) -> str:
        return request.script_root + request.path

    def page_url(self, page: int) -> str:
        """Return the URL of another page of the same list."""
        return self.url(page=page)

    def sort_url(self, column: str) -> str:
        """Return the URL that sorts by ``column``; a second click on the same header reverses the order."""
        turn = column == self.sort and self.direction == "asc"
        return self.url(sort=column, direction="desc" if turn else "asc")

    def page_numbers(self) -> list[int | None]:
        """Return the page links to draw: the ends and this page's neighbors, with None where pages are left out."""
        near = {1, self.pages, *range(self.page - 1, self.page + 2)}
        numbers: list[int | None] = []
        for number in sorted(number for number in near if 1 <= number <= self.pages):
            previous = numbers[-1] if numbers else None
            if previous is not None and number - previous > 1:
                numbers.append(None)
            numbers.append(number)
        return numbers


@lru_cache(maxsize=500)
def _address(path: str, values: tuple[tuple[str, Any], ...]) -> str:
    # Cached: a list has a dozen URLs, mostly the same for the next visitor.
    wanted = [(name, value) for name, value in values if value is not None]
    return f"{quote(path)}?{urlencode(wanted)}" if wanted else quote(path)


def _searched() -> str:
    text = UNSEARCHABLE.sub(" ", request.args.get("search", ""))[:SEARCH_MAX_LENGTH]
    return " ".join(text.split()[:SEARCH_MAX_WORDS])


def _search_conditions(text: str, columns: Sequence[Column]) -> list[Condition]:
    """Return the conditions that every word is in one of the columns; % and _ have no special meaning."""
    if not columns:
        return []
    return [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in text.split()]


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


def _sort(columns: Mapping[str, SortKey], default: str) -> tuple[str, str]:
    asked = request.args.get("sort", "")
    if asked in columns:
        return asked, "desc" if request.args.get("direction") == "desc" else "asc"
    return default.removeprefix("-"), "desc" if default.startswith("-") else "asc"


def _order(query: Select[Any], key: SortKey | None, direction: str) -> list[ColumnElement[Any]]:
    """Return the sort order, with the primary key last: rows that tie would otherwise move between pages."""
    entity = query.column_descriptions[0]["entity"]
    wanted = () if key is None else key if isinstance(key, tuple) else (key,)
    keys = [*wanted, *inspect(entity).primary_key]
    return [key.desc() if direction == "desc" else key.asc() for key in keys]


def _page_number() -> int:
    asked = request.args.get("page", "")
    return max(1, int(asked)) if PAGE_NUMBER.fullmatch(asked) else 1
