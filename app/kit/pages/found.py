"""What a search of a list finds, in bounded time however common the words are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, bindparam, func, or_, select

from app.kit.db.search import Searchable
from app.kit.db.session import count_up_to, current_session
from app.kit.pages.position import Column

Condition = ColumnElement[bool]
# Columns of a short list, a model with an index for its words, or a function that returns the condition of a text.
Search = Sequence[Column] | type[Searchable] | Callable[[str], Condition]

# A search of a long list lists so many rows, and reads so many to apply a filter to them.
FOUND = 1_000
LOOKED_THROUGH = 10_000


@dataclass(frozen=True)
class Found:
    """The conditions of a search, the number of rows that meet them, if it is known, and whether others do, too."""

    conditions: Sequence[Condition] = ()
    total: int | None = None
    is_capped: bool = False


def find(query: Select[Any], search: Search, words: str, is_filtered: bool) -> Found:
    """Return what a search finds in ``query``, to which the filters are applied already."""
    if not words or not search:
        return Found()
    if isinstance(search, type):
        return _by_index(query, search, words, is_filtered)
    if callable(search):
        return Found([search(words)])
    return Found([or_(*(column.icontains(word, autoescape=True) for column in search)) for word in words.split()])


def _by_index(query: Select[Any], model: type[Searchable], words: str, is_filtered: bool) -> Found:
    """Return what a search by index finds.

    A common word is in more rows than can be sorted at once: then only the first ones found are listed. Where a filter
    leaves few rows, each of them is searched; where it leaves many, the first rows found are filtered.
    """
    key, session = model.__table__.c.id, current_session()
    matching = model.ids_matching(words)
    ids = session.scalars(matching.limit(FOUND + 1)).all()
    is_capped = len(ids) > FOUND
    if is_capped and is_filtered:
        filtered = query.order_by(None).with_only_columns(key)
        if count_up_to(LOOKED_THROUGH + 1, filtered) <= LOOKED_THROUGH:
            return Found([model.matches(words)])
        first = select(matching.limit(LOOKED_THROUGH).subquery())
        ids = session.scalars(filtered.where(key.in_(first)).limit(FOUND)).all()
    is_known = is_capped if is_filtered else query.whereclause is None
    return Found([_among(key, ids[:FOUND])], len(ids[:FOUND]) if is_known else None, is_capped)


def _among(key: Column, ids: Sequence[int]) -> Condition:
    """Return the condition of these rows; a parameter for each of them would take longer than the query."""
    if current_session().get_bind().dialect.name == "sqlite":
        return key.in_(bindparam("found", ids, expanding=True, literal_execute=True))
    # As rows: for a list, PostgreSQL may read the index of the sort order until it has met a page of them.
    return key.in_(select(func.unnest(bindparam("found", ids, type_=ARRAY(Integer)))))
