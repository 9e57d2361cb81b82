"""Indexes of the models: for which database one is, and doing without them while very many rows are added."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Index, Table
from sqlalchemy.schema import CreateIndex, DropIndex
from sqlalchemy.sql.schema import SchemaItem


def is_for(dialect: str, item: SchemaItem) -> bool:
    """Return whether this database gets the index: ``Index(…, info={"only_on": "postgresql"})``."""
    return bool(item.info.get("only_on", dialect) == dialect)


def drop_indexes(connection: Connection, tables: Iterable[Table]) -> None:
    """Drop the indexes of these tables, except those that refuse rows. The caller commits.

    With them, each row that is added changes a page of every index.
    """
    for index in _plain(connection, tables):
        connection.execute(DropIndex(index, if_exists=True))


def create_missing_indexes(connection: Connection, tables: Iterable[Table]) -> None:
    """Create the indexes of these tables that are not there. The caller commits."""
    for index in _plain(connection, tables):
        connection.execute(CreateIndex(index, if_not_exists=True))


def _plain(connection: Connection, tables: Iterable[Table]) -> Iterator[Index]:
    for table in tables:
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            if not index.unique and is_for(connection.dialect.name, index):
                yield index
