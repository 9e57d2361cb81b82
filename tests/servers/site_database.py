"""A database for a site in processes of its own, on the kind of server that the tests run on."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.postgres import create_postgres_database

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def create_database() -> Iterator[str]:
    """Yield the URL of an empty database: SQLite, or PostgreSQL on the server at TEST_DATABASE_URL."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if server.startswith("postgres"):
        with create_postgres_database(server) as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/site.sqlite"


def migrate(variables: Mapping[str, str]) -> None:
    """Prepare the database of a site with these settings."""
    command = [sys.executable, "manage.py", "release"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, check=True)
