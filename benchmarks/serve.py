"""A production site with people in it to point other tools at: `python -m benchmarks.serve`, until Ctrl-C."""

import contextlib
import signal
import tempfile
from pathlib import Path

from benchmarks.site import prepared_site
from tests.servers.web import start_gunicorn


def main() -> None:
    """Serve with the project's own gunicorn.conf.py; prints the address."""
    # SIGTERM, and SIGINT where a shell starts it in the background, should stop the servers too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder, prepared_site(Path(folder)) as (variables, _cookies):
        port = int(variables["BASE_URL"].rpartition(":")[2])
        with start_gunicorn("app:create_app()", variables, port=port) as server:
            print(server.address, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()


if __name__ == "__main__":
    main()
