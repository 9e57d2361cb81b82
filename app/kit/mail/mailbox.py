"""A folder with one file per message, for sites where nobody should receive mail."""

import os
from pathlib import Path

from app.kit.mail.message import Message


class MailboxTransport:
    """Writes messages to files; development and tests use it instead of SMTP."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message, *, deadline: float, name: str) -> None:
        """Write ``<name>.eml`` in one step, because the mailbox page may read it at any moment."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f".{name}.{os.getpid()}"
        unfinished.write_bytes(message.content)
        unfinished.replace(self._folder / f"{name}.eml")

    def close(self) -> None:
        """Do nothing, since nothing is open."""
