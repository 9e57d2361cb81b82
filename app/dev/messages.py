"""The mails in MAILBOX_DIR: one ``.eml`` file each, as a mail server would receive it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cached_property
from pathlib import Path

# The name comes from the URL: it must not be a path out of the folder.
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,150}\.eml")
SHOWN_MESSAGES = 200


@dataclass(frozen=True)
class Message:
    """One sent mail."""

    name: str
    raw: bytes
    written_at: datetime

    @cached_property
    def parsed(self) -> EmailMessage:
        """The mail as parsed by the standard library."""
        return BytesParser(policy=policy.default).parsebytes(self.raw)

    @property
    def subject(self) -> str:
        """The decoded subject, or an empty string."""
        return str(self.parsed["Subject"] or "")

    @property
    def recipient(self) -> str:
        """The decoded "To" header, or an empty string."""
        return str(self.parsed["To"] or "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header, decoded, in the order of the mail."""
        return [(name, str(value)) for name, value in self.parsed.items()]

    def body(self, kind: str) -> str | None:
        """Return the text of the "html" or "plain" part, or None if there is none."""
        part = self.parsed.get_body(preferencelist=(kind,))
        if part is None:
            return None
        try:
            return str(part.get_content())
        except LookupError:  # it names a character set that does not exist
            return bytes(part.get_payload(decode=True)).decode("utf-8", "replace")

    @property
    def source(self) -> str:
        """The raw mail. Bytes that are not UTF-8 become replacement characters."""
        return self.raw.decode("utf-8", "replace")


def newest_messages(folder: Path) -> list[Message]:
    """Return the last mails in ``folder``, newest first; none if the folder does not exist."""
    return [message for path in _newest_files(folder)[:SHOWN_MESSAGES] for message in _read(path)]


def message_named(folder: Path, name: str) -> Message | None:
    """Return the mail in the file ``name``, or None if the name is not valid or there is no such file."""
    if not FILE_NAME.fullmatch(name):
        return None
    return next(_read(folder / name), None)


def newest_name(folder: Path) -> str:
    """Return the file name of the last mail, or an empty string. A page compares it to notice new mail."""
    return next((path.name for path in _newest_files(folder)), "")


def _newest_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"), key=lambda path: (_written(path), path.name), reverse=True)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # removed since the folder was listed
        return 0.0


def _read(path: Path) -> Iterator[Message]:
    """Yield the mail in ``path``, or nothing if the file was removed meanwhile."""
    try:
        yield Message(path.name, path.read_bytes(), datetime.fromtimestamp(_written(path), UTC))
    except FileNotFoundError:
        return
