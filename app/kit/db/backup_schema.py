"""What differs between SQLite and PostgreSQL when a whole database is read or filled."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, func, inspect, select, text
from sqlalchemy.exc import SAWarning
from sqlalchemy.schema import AddConstraint, DropConstraint

VERSION_TABLE = "alembic_version"


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees the database as it is now, whatever is written meanwhile."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # The driver itself begins a transaction only before it writes.
            connection.exec_driver_sql("BEGIN")
            yield connection
        else:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def revisions_of(connection: Connection) -> list[str]:
    """Return the migrations that the database stands at; none if it was never migrated."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return []
    return sorted(connection.scalars(text(f"SELECT version_num FROM {VERSION_TABLE}")))  # noqa: S608 # nosec B608


def reflected_tables(connection: Connection) -> list[Table]:
    """Return the tables of the database, as they are there. Tables of search indexes are made anew, and left out."""
    names = set(inspect(connection).get_table_names()) - {VERSION_TABLE}
    if connection.dialect.name == "sqlite":
        kinds = connection.exec_driver_sql("PRAGMA table_list").mappings()
        names -= {row["name"] for row in kinds if row["type"] in {"virtual", "shadow"}}
    metadata = MetaData()
    with warnings.catch_warnings():
        # Indexes on expressions, such as lower(email), cannot be reflected. Rows do not need them.
        warnings.simplefilter("ignore", SAWarning)
        metadata.reflect(connection, only=sorted(names))
    return [metadata.tables[name] for name in sorted(names)]


@contextmanager
def without_foreign_keys(connection: Connection) -> Iterator[list[Table]]:
    """Yield all tables in a transaction that checks foreign keys at its end: tables can refer to each other."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        yield reflected_tables(connection)
    else:
        tables = reflected_tables(connection)
        keys = [key for table in tables for key in table.foreign_key_constraints]
        for key in keys:
            connection.execute(DropConstraint(key))
        yield tables
        for key in keys:
            connection.execute(AddConstraint(key))
    connection.commit()


def last_ids(connection: Connection, tables: Sequence[Table]) -> dict[str, int]:
    """Return the last id that each table gave out, for rows that were deleted since too: ids are never used again."""
    if connection.dialect.name == "sqlite":
        names = _tables_with_sequences(connection)
        rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence")) if names else ()
        return {row.name: row.seq for row in rows}
    found = {}
    for name, sequence in _sequences(connection, tables):
        last, is_used = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 # nosec B608
        found[name] = last if is_used else 0
    return found


def set_last_ids(connection: Connection, tables: Sequence[Table], ids: dict[str, int]) -> None:
    """Let each table go on after the last id that it, or the table of the backup, gave out."""
    last = {table.name: max(_largest_id(connection, table), ids.get(table.name, 0)) for table in tables}
    if connection.dialect.name == "sqlite":
        for name in _tables_with_sequences(connection):
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
            row = {"name": name, "last": last.get(name, 0)}
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), row)
    else:
        for name, sequence in _sequences(connection, tables):
            # An id of 0 cannot be set: nothing was given out yet.
            if last[name]:
                connection.execute(select(func.setval(sequence, last[name])))


def _tables_with_sequences(connection: Connection) -> set[str]:
    return set(connection.scalars(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")))


def _largest_id(connection: Connection, table: Table) -> int:
    key = _row_number(table)
    return (key is not None and connection.scalar(select(func.max(key)))) or 0


def _sequences(connection: Connection, tables: Sequence[Table]) -> Iterator[tuple[str, str]]:
    quote = connection.dialect.identifier_preparer.quote
    for table in tables:
        key = _row_number(table)
        if key is not None:
            sequence = connection.scalar(select(func.pg_get_serial_sequence(quote(table.name), key.name)))
            if sequence:
                yield table.name, sequence


def _row_number(table: Table) -> Column[int] | None:
    """Return the column that numbers the rows, or None if another kind of key names them."""
    keys = list(table.primary_key)
    return keys[0] if len(keys) == 1 and isinstance(keys[0].type, Integer) else None
