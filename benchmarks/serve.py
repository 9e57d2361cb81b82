"""A production site with people in it to point other tools at: `python -m benchmarks.serve`, until Ctrl-C."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.site import prepared_site
from tests.servers.web import start_gunicorn


def main() -> None:
    """Print the address, and serve until told to end."""
    # SIGTERM, and SIGINT where a shell starts it in the background, should stop the servers too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with served_site() as address:
        print(address, flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


@contextmanager
def served_site() -> Iterator[str]:
    """Serve with the project's own gunicorn.conf.py until the block ends; yields the address."""
    with tempfile.TemporaryDirectory() as folder, prepared_site(Path(folder)) as (variables, _cookies):
        port = int(variables["BASE_URL"].rpartition(":")[2])
        with start_gunicorn("app:create_app()", variables, port=port) as server:
            yield server.address


if __name__ == "__main__":
    main()
