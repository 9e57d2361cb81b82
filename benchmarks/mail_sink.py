"""An SMTP server in its own process that accepts every message and appends one byte for it to a file.

python -m benchmarks.mail_sink PORT FILE
"""

import os
import signal
import sys
from typing import Any

from aiosmtpd.controller import Controller


class Counter:
    """A counter of messages. The count is the length of a file, which another process can read."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Count a message and accept it."""
        os.write(self._file, b".")
        return "250 OK"


def main() -> None:
    """Serve until a signal ends the process."""
    Controller(Counter(sys.argv[2]), hostname="127.0.0.1", port=int(sys.argv[1])).start()
    signal.pause()


if __name__ == "__main__":
    main()
