"""The tests' database, gone for a while as it goes in earnest: SQLite is locked, PostgreSQL restarts."""

import sqlite3
import threading
import time
from contextlib import closing

import psycopg


def send_away(url: str, seconds: float) -> None:
    """Return once nobody can write: for ``seconds`` with SQLite, and on no open connection with PostgreSQL."""
    if url.startswith("postgres"):
        _cut_connections(url)
        return
    locked = threading.Event()
    threading.Thread(target=_lock, args=(url.removeprefix("sqlite:///"), seconds, locked)).start()
    locked.wait()


def _cut_connections(url: str) -> None:
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) {others}")


def _lock(path: str, seconds: float, locked: threading.Event) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        locked.set()
        time.sleep(seconds)
        connection.rollback()
