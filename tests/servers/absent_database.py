"""Make the tests' database unavailable for a while: SQLite is locked, PostgreSQL refuses connections."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo


def send_away(url: str, seconds: float) -> None:
    """Block all writes to the database at ``url`` for ``seconds``; return as soon as they are blocked."""
    path, is_away = url.removeprefix("sqlite:///"), threading.Event()

    def be_away() -> None:
        with _refusing(url) if url.startswith("postgres") else _locked(path):
            is_away.set()
            time.sleep(seconds)

    threading.Thread(target=be_away).start()
    assert is_away.wait(timeout=60), "the database did not go away"


@contextmanager
def _refusing(url: str) -> Iterator[None]:
    name = str(conninfo_to_dict(url)["dbname"])
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(make_conninfo(url, dbname="postgres"), autocommit=True) as connection:
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


@contextmanager
def _locked(path: str) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()
