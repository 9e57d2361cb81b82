"""Moments by the database's clock, for what several machines must agree upon."""

from typing import Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.kit.db.database import UTCDateTime


class database_now(FunctionElement[Any]):  # noqa: N801 - it reads as a function of SQL
    """SQL for the present moment plus ``seconds`` (a number or a parameter), as the database server sees it.

    A lease that one machine takes and another one checks must not depend on how well their
    clocks agree. In PostgreSQL it is the time of the call, not of the transaction's beginning.
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
    # As text of the same form as a stored moment: SQLite compares moments letter by letter.
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"
