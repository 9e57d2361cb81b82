"""A production site with users, for other tools: `python -m benchmarks.serve`, until Ctrl-C."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.site import prepared_site
from tests.servers.web import start_gunicorn


def main() -> None:
    """Print the URL, and serve until SIGTERM or Ctrl-C."""
    # Both should stop the servers too. A shell ignores SIGINT for processes in the background.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with served_site() as address:
        print(address, flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


@contextmanager
def served_site() -> Iterator[str]:
    """Serve with the project's gunicorn.conf.py until the block ends, and yield the URL."""
    with tempfile.TemporaryDirectory() as folder, prepared_site(Path(folder)) as (variables, _cookies):
        port = int(variables["BASE_URL"].rpartition(":")[2])
        with start_gunicorn("app:create_app()", variables, port=port) as server:
            yield server.address


if __name__ == "__main__":
    main()
