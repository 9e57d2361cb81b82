"""All rows of the database as they once were, to be put back after a request that changed some."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event, insert, select

WRITES = ("INSERT", "UPDATE", "DELETE")


class KeptRows:
    """What stood in each table when this was made."""

    def __init__(self, db: SQLAlchemy) -> None:
        self._db = db
        tables = db.metadata.sorted_tables
        stood = {table: [dict(row) for row in db.session.execute(select(table)).mappings()] for table in tables}
        db.session.rollback()
        # Made once, and the first ones as text: of some requests, putting back took as long as answering them.
        self._deletes = [f"DELETE FROM {table.name}" for table in reversed(tables)]  # noqa: S608
        self._inserts = [(insert(table), rows) for table, rows in stood.items() if rows]
        self._has_changed = False

    def put_back(self) -> None:
        """Make the database as it was, if anything was written since."""
        if not self._has_changed:
            return
        self._db.session.rollback()
        connection = self._db.session.connection()
        for delete in self._deletes:
            connection.exec_driver_sql(delete)
        for statement, rows in self._inserts:
            connection.execute(statement, rows)
        self._db.session.commit()
        self._has_changed = False

    def note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        """Take notice of a statement that writes."""
        self._has_changed = self._has_changed or statement.lstrip().upper().startswith(WRITES)


@contextmanager
def kept_rows(db: SQLAlchemy) -> Iterator[KeptRows]:
    """Yield the rows of now, watching for statements that write until the block ends."""
    rows = KeptRows(db)
    event.listen(db.engine, "before_cursor_execute", rows.note)
    try:
        yield rows
    finally:
        event.remove(db.engine, "before_cursor_execute", rows.note)
