"""Search for words anywhere in a row, as quick at a million rows as at a hundred.

A searchable model keeps its words in one column, folded (lower case, no accents), so that SQLite and PostgreSQL find
the same rows. An index of trigrams, three neighboring characters, finds a part of a word: FTS5 on SQLite, pg_trgm on
PostgreSQL. Two blanks stand before each word, so that a shorter text has three characters, too, and is found where a
word begins with it. A PostgreSQL without pg_trgm has an index of whole words, and finds no other than their beginnings.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Table,
    Text,
    and_,
    cast,
    column,
    event,
    func,
    inspect,
    literal_column,
    not_,
    select,
    table,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from app.kit.db.database import Model
from app.kit.db.session import current_session

COLUMN = "search_text"
TRIGRAM = 3
WORD_START = "  "
INDEXED_OF_ADDRESS = 4 * TRIGRAM
# So many rows that are found are sorted; the first ones of more are read in the order of an index.
SORTED = 1_000
# PostgreSQL indexes no word of more than 2,046 bytes, and nobody looks for so long a one.
WORD_MAX_LENGTH = 255
# The words of a row, as PostgreSQL indexes them without pg_trgm. It uses the index for this very expression only.
WORDS = "array_to_tsvector(array_remove(string_to_array({}, '  '), ''))"


class Searchable(Model):
    """A model whose attributes ``__searched__`` can be searched."""

    __abstract__ = True
    __searched__: ClassVar[tuple[str, ...]]

    @declared_attr
    def search_text(cls) -> Mapped[str]:  # noqa: N805 - SQLAlchemy passes the class
        """Return the column of words. Every INSERT fills it; an UPDATE by statement has to set it itself."""
        return mapped_column(Text, default=lambda context: cls._words(context), server_default="", deferred=True)

    @classmethod
    def _words(cls, context: DefaultExecutionContext) -> str:
        return cls.words_in(context.get_current_parameters())

    @classmethod
    def words_in(cls, values: Mapping[str, Any]) -> str:
        """Return what to store in ``search_text`` for a row with these values."""
        return folded(*(values.get(name) for name in cls.__searched__))

    @classmethod
    def matches(cls, words: str) -> ColumnElement[bool]:
        """Return the condition that every word occurs in the row; without pg_trgm, that it begins a word of the row."""
        if has_words_only(current_session().get_bind().engine, index_name(cls.__table__)):
            return cls._begins(folded(words).split())
        parts = _parts(words)
        found = [cls.search_text.contains(_indexed(part), autoescape=True) for part in parts]
        return and_(true(), *found, *cls._whole(parts))

    @classmethod
    def _begins(cls, words: Sequence[str]) -> ColumnElement[bool]:
        if not words:
            return true()
        starts = ("'" + word.replace("\\", "\\\\").replace("'", "''") + "':*" for word in words)
        stored: ColumnElement[Any] = literal_column(WORDS.format(f"{cls.__table__.name}.{COLUMN}"))
        return stored.op("@@")(cast(" & ".join(starts), postgresql.TSQUERY))

    @classmethod
    def _whole(cls, parts: Sequence[str]) -> list[ColumnElement[bool]]:
        """Return the conditions for parts of which the index knows less. PostgreSQL does not use it for a sum."""
        return [(cls.search_text + "").contains(part, autoescape=True) for part in parts if part != _indexed(part)]

    @classmethod
    def ids_matching(cls, words: str) -> Select[int]:
        """Return a query of the ids of the rows that match, by the index and in no order."""
        parts, key = _parts(words), cls.__table__.c.id
        if not parts or current_session().get_bind().dialect.name != "sqlite":
            return select(key).where(cls.matches(words))
        index = table(index_name(cls.__table__), column("rowid"), column(index_name(cls.__table__)))
        found = select(index.c.rowid).where(index.c[index.name].op("MATCH")(" ".join(map(_phrases, parts))))
        whole = cls._whole(parts)
        return found.where(key == index.c.rowid, *whole) if whole else found

    @classmethod
    def first_ids_matching(cls, words: str, most: int, filtered: Select[int] | None = None) -> Select[int]:
        """Return a query of the lowest ids of the rows that match, ``most`` at most.

        For PostgreSQL, ``filtered`` may be a query of the ids that meet a filter. It knows how common these and the
        words are, and so whether to read the index of the words, that of the filter, or both.

        Without an order PostgreSQL begins to read a large table anywhere: on each page of a list, the first rows with a
        common word would be others. With one it reads all rows in their order for a word that it takes to be common and
        nobody has. So it may do so for a word that has been found in SORTED rows and another one; fewer are sorted.
        """
        matching = cls.ids_matching(words) if filtered is None else filtered.where(cls.matches(words))
        [key] = matching.selected_columns
        in_order = matching.order_by(key).limit(most)
        if current_session().get_bind().dialect.name == "sqlite":
            return in_order
        # PostgreSQL runs it once, because it is named more than once.
        some = matching.limit(SORTED + 1).cte("some")
        are_many = select(func.count()).select_from(some).scalar_subquery() > SORTED
        many = in_order.where(are_many).subquery()
        found = union_all(select(some.c.id).where(not_(are_many)), select(many.c.id)).subquery()
        return select(found.c.id).order_by(found.c.id).limit(most)


@event.listens_for(Searchable, "before_update", propagate=True)
def _fold_again(_mapper: object, _connection: Connection, row: Searchable) -> None:
    attributes = inspect(row).attrs
    if any(attributes[name].history.has_changes() for name in row.__searched__):
        row.search_text = row.words_in({name: getattr(row, name) for name in row.__searched__})


def folded(*values: str | None) -> str:
    """Return the words of all values in lower case and without accents, with two blanks before each."""
    plain = unicodedata.normalize("NFKD", " ".join(value or "" for value in values).casefold()).casefold()
    if not plain.isascii():
        plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Mn")
    return "".join(WORD_START + word[:WORD_MAX_LENGTH] for word in plain.split())


def _parts(words: str) -> list[str]:
    """Return what to look for: each word as it is, or at the beginning of a word if it is too short for the index."""
    found = folded(words).split()
    return [word if len(word) >= TRIGRAM else WORD_START + word for word in found]


def _indexed(part: str) -> str:
    """Return the text to look for in the index: of an address no more than the end of its name.

    Few rows have it. Many have the domain, and each trigram of a long name, so comparing these would take most of the
    time.
    """
    name, at, _domain = part.partition("@")
    return (name + at)[-INDEXED_OF_ADDRESS:] if at and len(name + at) >= TRIGRAM else part


def _phrases(part: str) -> str:
    """Return what FTS5 looks for: neighboring trigrams, or, for a part that is compared with the row anyway, some."""
    indexed, pieces = _indexed(part), [part]
    if indexed != part:
        last = len(indexed) - TRIGRAM
        pieces = [indexed[start : start + TRIGRAM] for start in (*range(0, last, TRIGRAM), last)]
    return " ".join('"' + piece.replace('"', '""') + '"' for piece in pieces)


def index_name(searched: Table) -> str:
    """Return the name of the index of a searchable table."""
    return f"{searched.name}_search"


@lru_cache(maxsize=8)
def has_words_only(engine: Engine, name: str) -> bool:
    """Return whether an index has whole words, on a PostgreSQL without pg_trgm. Each process asks once."""
    if engine.dialect.name != "postgresql":
        return False
    with engine.connect() as connection:
        definition = connection.scalar(text("SELECT pg_get_indexdef(to_regclass(:name))"), {"name": name})
    return "tsvector" in (definition or "")
