"""The database server's time, for what several machines must agree on."""

from typing import Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.kit.db.database import UTCDateTime


class database_now(FunctionElement[Any]):  # noqa: N801 - named like a SQL function
    """SQL for the database server's current time plus ``seconds`` (a number or a parameter).

    One machine sets a lease and another checks it, and their clocks may differ. In PostgreSQL this is the time of
    the call, not of the transaction's start.
    """

    type = UTCDateTime()
    inherit_cache = True

    def __init__(self, seconds: float | ColumnElement[float] = 0.0) -> None:
        super().__init__(seconds if isinstance(seconds, ColumnElement) else literal(float(seconds)))


@compiles(database_now)
def _in_postgresql(element: database_now, compiler: SQLCompiler, **options: object) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + {seconds} * interval '1 second')"


@compiles(database_now, "sqlite")
def _in_sqlite(element: database_now, compiler: SQLCompiler, **options: object) -> str:
    seconds = compiler.process(element.clauses, **options)
    # Text in the same format as a stored time: SQLite compares times as text.
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"
