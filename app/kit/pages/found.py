"""What a search of a list finds, in bounded time however common the words are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    func,
    inspect,
    literal,
    or_,
    select,
    union_all,
)

from app.kit.db.search import SORTED, Searchable
from app.kit.db.session import current_session
from app.kit.pages.position import Column

Condition = ColumnElement[bool]
# Columns of a short list, a model with an index for its words, or a function that returns the condition of a text.
Search = Sequence[Column] | type[Searchable] | Callable[[str], Condition]

# A search of a long list lists so many rows; SQLite reads so many to apply a filter to them.
FOUND = 250
LOOKED_THROUGH = 10_000
# Stands among the ids that a search has found for the rows that it has not looked through.
OTHERS = 0


@dataclass(frozen=True)
class Found:
    """The conditions of a search, the number of rows that meet them, if it is known, and whether others do, too."""

    conditions: Sequence[Condition] = ()
    total: int | None = None
    is_capped: bool = False


def find(query: Select[Any], search: Search, words: str) -> Found:
    """Return what a search finds in ``query``, to which the filters are applied already."""
    if not words or not search:
        return Found()
    if isinstance(search, type):
        return _by_index(query, search, words)
    if callable(search):
        return _by_condition(query, search(words))
    return Found([or_(*(column.icontains(word, autoescape=True) for column in search)) for word in words.split()])


def _by_condition(query: Select[Any], condition: Condition) -> Found:
    """Return what meets ``condition``: few rows by their ids, which are then sorted, and many by the condition.

    A database that does not know that they are few may read the index of the order until it has met a page of them.
    """
    [key] = inspect(query.column_descriptions[0]["entity"]).primary_key
    matching = query.where(condition).order_by(None).with_only_columns(key)
    ids = current_session().scalars(matching.limit(SORTED + 1)).all()
    return Found([condition]) if len(ids) > SORTED else Found([_among(key, ids)], len(ids))


def _by_index(query: Select[Any], model: type[Searchable], words: str) -> Found:
    """Return what a search by index finds.

    A common word is in more rows than can be sorted at once: then only the first ones found are listed. SQLite would
    look through all that it finds for the rows of a filter. So there a filter is applied to the first rows found, and
    the words are looked for in the first rows that it leaves, if the former are few.
    """
    key, session = model.__table__.c.id, current_session()
    filtered = query.order_by(None).with_only_columns(key)
    matching: Select[int] | CompoundSelect[int]
    if query.whereclause is None:
        matching = model.first_ids_matching(words, FOUND + 1)
    elif session.get_bind().dialect.name == "sqlite":
        matching = _meeting(filtered, model, words)
    else:
        matching = model.first_ids_matching(words, FOUND + 1, filtered)
    ids = session.scalars(matching).all()
    if OTHERS in ids:
        some = select(key).where(key.in_(filtered.limit(LOOKED_THROUGH)), model.matches(words))
        others = session.scalars(_with_others(some, filtered)).all()
        ids = [*others, *(set(ids) - {OTHERS, *others})]
    is_capped = len(ids) > FOUND or OTHERS in ids
    ids = [found for found in ids if found != OTHERS][:FOUND]
    return Found([_among(key, ids)], len(ids), is_capped)


def _meeting(filtered: Select[int], model: type[Searchable], words: str) -> CompoundSelect[int]:
    """Return a query of the ids that meet the filter among the first ones found, with OTHERS if there are more."""
    key, first = model.__table__.c.id, model.first_ids_matching(words, LOOKED_THROUGH).subquery()
    [found] = first.c
    # Not as a join, for which SQLite would look through all of them before the first one is filtered.
    met = select(found).where(filtered.where(key == found).exists())
    return _with_others(met, model.ids_matching(words))


def _with_others(some: Select[int], all_of_them: Select[int]) -> CompoundSelect[int]:
    """Return a query of the ids of ``some``, with OTHERS if ``all_of_them`` are more than can be looked through."""
    counted = select(func.count()).select_from(all_of_them.limit(LOOKED_THROUGH + 1).subquery())
    others = select(literal(OTHERS)).where(counted.scalar_subquery() > LOOKED_THROUGH)
    return union_all(some, others).limit(FOUND + 1)


def _among(key: Column, ids: Sequence[int]) -> Condition:
    """Return the condition of these rows; a parameter for each of them would take longer than the query."""
    if current_session().get_bind().dialect.name == "sqlite":
        return key.in_(bindparam("found", ids, expanding=True, literal_execute=True))
    # As rows: for a list, PostgreSQL may read the index of the sort order until it has met a page of them.
    return key.in_(select(func.unnest(bindparam("found", ids, type_=ARRAY(key.type)))))
