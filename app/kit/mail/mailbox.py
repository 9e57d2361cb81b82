"""Where mail goes while nobody shall receive any: a folder with one file per message."""

import os
from pathlib import Path

from app.kit.mail.message import Message


class MailboxTransport:
    """Writes messages as files; in development and tests it stands in the place of SMTP."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message, *, deadline: float, name: str) -> None:
        """Write ``<name>.eml``, whole or not at all: the mailbox page may look at any moment."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f".{name}.{os.getpid()}"
        unfinished.write_bytes(message.content)
        unfinished.replace(self._folder / f"{name}.eml")

    def close(self) -> None:
        """Nothing is open."""
