"""The indexes of the search: FTS5 with triggers on SQLite, a GIN index on PostgreSQL."""

import logging
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Inspector, MetaData, Table, TableClause, bindparam, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from app.kit.db.database import Model
from app.kit.db.indexes import create_missing_indexes
from app.kit.db.search import COLUMN, WORDS, Searchable, folded, has_words_only, index_name

log = logging.getLogger(__name__)

BATCH = 1000
EXTENSION = "pg_trgm"


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
    """Fold the words of all rows again and make new indexes; yield how many rows are done. The caller commits.

    Other indexes are created if they are missing, as after a killed command that adds many rows.
    """
    create_missing_indexes(connection, metadata.sorted_tables)
    for mapper in Model.registry.mappers:
        if issubclass(mapper.class_, Searchable) and mapper.class_.__table__ in searchable_tables(metadata):
            searched = mapper.class_.__table__
            drop_index(connection, searched)
            yield from fold_again(connection, searched, mapper.class_.__searched__)
            create_index(connection, searched)
            if connection.dialect.name == "postgresql":
                # The index of words has statistics of its own, without which all words are taken to be equally common.
                connection.exec_driver_sql(f"ANALYZE {searched.name}")


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
        _create_gin(connection, searched)


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


def _create_gin(connection: Connection, searched: Table) -> None:
    what = f"{COLUMN} gin_trgm_ops"
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
    except DBAPIError:
        what = WORDS.format(COLUMN)
        log.warning(
            "PostgreSQL's extension pg_trgm is missing and this user may not create it: searching %s finds only the "
            "beginnings of words. Let an administrator of the database run CREATE EXTENSION pg_trgm, then run "
            "manage.py reindex and restart the site.",
            searched.name,
        )
    connection.exec_driver_sql(f"CREATE INDEX {index_name(searched)} ON {searched.name} USING gin ({what})")
    has_words_only.cache_clear()


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
