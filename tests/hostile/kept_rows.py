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
        self._rows = {table: [dict(row) for row in db.session.execute(select(table)).mappings()] for table in tables}
        db.session.rollback()
        self._has_changed = False

    def put_back(self) -> None:
        """Make the database as it was, if anything was written since."""
        if not self._has_changed:
            return
        self._db.session.rollback()
        for table in reversed(self._db.metadata.sorted_tables):
            self._db.session.execute(table.delete())
        for table, rows in self._rows.items():
            if rows:
                self._db.session.execute(insert(table), rows)
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
