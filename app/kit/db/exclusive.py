"""One process at a time, of all that use the same database."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from sqlalchemy import Engine, func, select


@contextmanager
def one_at_a_time(engine: Engine, name: str) -> Iterator[None]:
    """Run the block in one process at a time; others that call this with ``name`` wait for it to end.

    PostgreSQL has a lock for this, which ends with its transaction, also when the process is killed. For SQLite it is a
    lock on a file beside the database. A database in memory belongs to one process, and needs none.
    """
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(crc32(name.encode()))))
            yield
    elif engine.url.database and engine.url.database != ":memory:":
        if not Path(engine.url.database).parent.exists():
            # Raises the error of every unusable database, not one about the lock.
            engine.connect().close()
        with Path(f"{engine.url.database}.{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    else:
        yield
