"""The mails written to MAILBOX_DIR, read back: one ``.eml`` file each, as a mail server would receive it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cached_property
from pathlib import Path

# The name comes from the address: it must not lead out of the folder.
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
        """The mail as Python's own parser understands it."""
        return BytesParser(policy=policy.default).parsebytes(self.raw)

    @property
    def subject(self) -> str:
        """The decoded subject, empty when there is none."""
        return str(self.parsed["Subject"] or "")

    @property
    def recipient(self) -> str:
        """Whom it was sent to, as the header says it."""
        return str(self.parsed["To"] or "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header, decoded, in the order of the mail."""
        return [(name, str(value)) for name, value in self.parsed.items()]

    def body(self, kind: str) -> str | None:
        """The text of the "html" or "plain" part, None when the mail has no such part."""
        part = self.parsed.get_body(preferencelist=(kind,))
        if part is None:
            return None
        try:
            return str(part.get_content())
        except LookupError:  # it names a character set that does not exist
            return bytes(part.get_payload(decode=True)).decode("utf-8", "replace")

    @property
    def source(self) -> str:
        """The mail as it went over the wire; bytes that are no UTF-8 show as a replacement character."""
        return self.raw.decode("utf-8", "replace")


def newest_messages(folder: Path) -> list[Message]:
    """The last mails written to ``folder``, newest first; none when the folder does not exist yet."""
    return [message for path in _newest_files(folder)[:SHOWN_MESSAGES] for message in _read(path)]


def message_named(folder: Path, name: str) -> Message | None:
    """The mail in the file ``name``, None when there is no such file or it is no mail's name."""
    if not FILE_NAME.fullmatch(name):
        return None
    return next(_read(folder / name), None)


def newest_name(folder: Path) -> str:
    """The file name of the last mail, empty when there is none: what a page compares to see a new one."""
    return next((path.name for path in _newest_files(folder)), "")


def _newest_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"), key=lambda path: (_written(path), path.name), reverse=True)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # removed while we were looking
        return 0.0


def _read(path: Path) -> Iterator[Message]:
    """The mail in ``path``, or nothing when it was removed meanwhile."""
    try:
        yield Message(path.name, path.read_bytes(), datetime.fromtimestamp(_written(path), UTC))
    except FileNotFoundError:
        return
