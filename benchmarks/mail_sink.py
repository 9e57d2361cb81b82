"""An SMTP server in a process of its own that accepts everything and writes one byte a message to a file.

python -m benchmarks.mail_sink PORT FILE
"""

import os
import signal
import sys
from typing import Any

from aiosmtpd.controller import Controller


class Counter:
    """Counts by the length of a file: who measures reads it without asking this process."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        os.write(self._file, b".")
        return "250 OK"


def main() -> None:
    Controller(Counter(sys.argv[2]), hostname="127.0.0.1", port=int(sys.argv[1])).start()
    signal.pause()


if __name__ == "__main__":
    main()
