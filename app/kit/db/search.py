"""Search for words anywhere in a row, as quick at a million rows as at a hundred.

A searchable model keeps its words in one column, folded (lower case, no accents), so that SQLite and PostgreSQL find
the same rows. An index of trigrams, three neighboring characters, finds a part of a word: FTS5 on SQLite, pg_trgm on
PostgreSQL. Two blanks stand before each word, so that a shorter text has three characters, too, and is found where a
word begins with it.
"""

import logging
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sqlalchemy import (
    Connection,
    Inspector,
    MetaData,
    Select,
    Table,
    TableClause,
    Text,
    and_,
    bindparam,
    column,
    event,
    inspect,
    select,
    table,
    text,
    true,
    update,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from app.kit.db.database import Model
from app.kit.db.session import current_session

log = logging.getLogger(__name__)

COLUMN = "search_text"
TRIGRAM = 3
WORD_START = "  "
BATCH = 1000


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
        """Return the condition that every word occurs in the row."""
        found = [cls.search_text.contains(part, autoescape=True) for part in _parts(words)]
        return and_(true(), *found)

    @classmethod
    def ids_matching(cls, words: str) -> Select[int]:
        """Return a query of the ids of the rows in which every word occurs, by the index and in no order."""
        parts = _parts(words)
        if not parts or current_session().get_bind().dialect.name != "sqlite":
            return select(cls.__table__.c.id).where(cls.matches(words))
        index = table(index_name(cls.__table__), column("rowid"), column(index_name(cls.__table__)))
        phrases = " ".join('"' + part.replace('"', '""') + '"' for part in parts)
        return select(index.c.rowid).where(index.c[index.name].op("MATCH")(phrases))


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
    return "".join(WORD_START + word for word in plain.split())


def _parts(words: str) -> list[str]:
    """Return what to look for: each word as it is, or at the beginning of a word if it is too short for the index."""
    found = folded(words).split()
    return [word if len(word) >= TRIGRAM else WORD_START + word for word in found]


def index_name(searched: Table) -> str:
    """Return the name of the index of a searchable table."""
    return f"{searched.name}_search"


def searchable_tables(metadata: MetaData) -> list[Table]:
    """Return the tables of the searchable models."""
    return [one for one in metadata.sorted_tables if COLUMN in one.c]


def is_ours(name: str | None, metadata: MetaData) -> bool:
    """Return whether a table or index belongs to the search, so that no migration is generated to drop it."""
    return any((name or "").startswith(index_name(one)) for one in searchable_tables(metadata))


def create_indexes(connection: Connection, metadata: MetaData) -> None:
    """Create the indexes that are missing; the caller commits. Runs after each migration.

    A migration that copies a table of SQLite, as Alembic does to alter one, loses its triggers.
    """
    database = inspect(connection)
    for searched in searchable_tables(metadata):
        if not database.has_table(searched.name) or not _has_column(database, searched):
            continue
        if is_missing(connection, searched):
            create_index(connection, searched)


def reindex(connection: Connection, metadata: MetaData) -> Iterator[int]:
    """Fold the words of all rows again and make new indexes; yield how many rows are done. The caller commits."""
    for mapper in Model.registry.mappers:
        if issubclass(mapper.class_, Searchable) and mapper.class_.__table__ in searchable_tables(metadata):
            searched = mapper.class_.__table__
            drop_index(connection, searched)
            yield from fold_again(connection, searched, mapper.class_.__searched__)
            create_index(connection, searched)


def drop_index(connection: Connection, searched: Table) -> None:
    """Drop the index of a searchable table, and the triggers that fill it."""
    name = index_name(searched)
    if connection.dialect.name == "sqlite":
        for trigger in ("insert", "update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}_{trigger}")
    kind = "TABLE" if connection.dialect.name == "sqlite" else "INDEX"
    connection.exec_driver_sql(f"DROP {kind} IF EXISTS {name}")


def create_index(connection: Connection, searched: Table) -> None:
    """Create the index of a searchable table from its rows, and the triggers that fill it from now on."""
    if connection.dialect.name == "sqlite":
        _create_fts5(connection, searched)
    else:
        _create_trigrams(connection, searched)


def _has_column(database: Inspector, searched: Table) -> bool:
    """Return whether the column exists already; a database may be upgraded step by step."""
    return COLUMN in {one["name"] for one in database.get_columns(searched.name)}


def is_missing(connection: Connection, searched: Table) -> bool:
    """Return whether the index of a searchable table, or a trigger that fills it, does not exist."""
    name = index_name(searched)
    if connection.dialect.name == "sqlite":
        parts = text("SELECT count(*) FROM sqlite_master WHERE name IN (:a, :b, :c, :d)")
        wanted = {"a": name, "b": f"{name}_insert", "c": f"{name}_update", "d": f"{name}_delete"}
        return connection.execute(parts, wanted).scalar() != len(wanted)
    return connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is None


# The index reads its text from the searched table, so each trigger has to tell it what the text was.
FTS5 = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS {index}"
    " USING fts5({column}, content='{source}', content_rowid='id', tokenize='trigram')",
    "CREATE TRIGGER IF NOT EXISTS {index}_insert AFTER INSERT ON {source} BEGIN {add} END",
    "CREATE TRIGGER IF NOT EXISTS {index}_delete AFTER DELETE ON {source} BEGIN {drop} END",
    "CREATE TRIGGER IF NOT EXISTS {index}_update AFTER UPDATE OF {column} ON {source} BEGIN {drop} {add} END",
    "INSERT INTO {index}({index}) VALUES ('rebuild')",
)
ADD = "INSERT INTO {index}(rowid, {column}) VALUES (new.id, new.{column});"
DROP = "INSERT INTO {index}({index}, rowid, {column}) VALUES ('delete', old.id, old.{column});"


def _create_fts5(connection: Connection, searched: Table) -> None:
    names = {"index": index_name(searched), "source": searched.name, "column": COLUMN}
    add, drop = ADD.format(**names), DROP.format(**names)
    for statement in FTS5:
        connection.exec_driver_sql(statement.format(**names, add=add, drop=drop))


def _create_trigrams(connection: Connection, searched: Table) -> None:
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError:
        log.warning(
            "PostgreSQL's extension pg_trgm is missing and this user may not create it: searching %s reads every row. "
            "Let an administrator of the database run CREATE EXTENSION pg_trgm, and then run manage.py reindex.",
            searched.name,
        )
        return
    connection.exec_driver_sql(
        f"CREATE INDEX {index_name(searched)} ON {searched.name} USING gin ({COLUMN} gin_trgm_ops)"
    )


def fold_again(connection: Connection, searched: TableClause, names: tuple[str, ...]) -> Iterator[int]:
    """Fold the words of all rows again, in batches; yield how many rows are done. The caller commits after each."""
    last, done = 0, 0
    columns = [searched.c[name] for name in names]
    while True:
        ordered = select(searched.c.id, *columns).where(searched.c.id > last).order_by(searched.c.id).limit(BATCH)
        rows = connection.execute(ordered).all()
        if not rows:
            return
        words: list[dict[str, Any]] = [{"row": row[0], "words": folded(*row[1:])} for row in rows]
        by_id = update(searched).where(searched.c.id == bindparam("row")).values({COLUMN: bindparam("words")})
        connection.execute(by_id, words)
        last, done = rows[-1][0], done + len(rows)
        yield done
