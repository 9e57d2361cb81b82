"""An email message in the form in which it travels."""

import quopri
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from secrets import token_hex

from app.kit.db.database import utc_now

# RFC 5321, 4.5.3.1.6: a line has at most 1000 octets, its end included.
LONGEST_LINE = 998


@dataclass(frozen=True)
class Message:
    """What SMTP needs: two bare addresses, and the message as bytes."""

    sender: str
    recipient: str
    content: bytes


def build_message(*, sender: str, recipient: str, subject: str, text: str, html: str, message_id: str) -> Message:
    """Put a message with a text and an HTML part together.

    ``sender`` is an address or "Name <address>". Raises ValueError when a header would be broken,
    by a line break for one: nobody shall add headers of his own by way of a subject.
    """
    sender_header, sender_address = _sender(sender)
    recipient = ascii_address(recipient)
    boundary = f"part-{token_hex(16)}"
    headers = {
        "From": sender_header,
        "To": recipient,
        "Subject": Header(one_line(subject), "utf-8" if not subject.isascii() else "us-ascii").encode(),
        "Date": format_datetime(utc_now()),
        "Message-ID": one_line(message_id),
        # So that holiday replies and ticket systems do not answer a machine (RFC 3834).
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    # Written out: the standard library's generators take longer than rendering, signing and sending.
    head = "".join(f"{name}: {value}\n" for name, value in headers.items())
    parts = [_part(text, "plain"), _part(html, "html")]
    body = "".join(f"\n--{boundary}\n{part}" for part in parts) + f"\n--{boundary}--\n"
    return Message(sender_address, recipient, "\r\n".join((head + body).splitlines()).encode("ascii") + b"\r\n")


@lru_cache(maxsize=8)
def _sender(sender: str) -> tuple[str, str]:
    """Answer the header and the bare address of a sender, of whom a site has one or two."""
    name, address = parseaddr(sender)
    address = ascii_address(address)
    return formataddr((one_line(name), address)), address


def _part(text: str, subtype: str) -> str:
    """Answer a part as it is where every server takes it so, otherwise quoted-printable."""
    encoding = "7bit"
    if not text.isascii() or any(len(line) > LONGEST_LINE for line in text.splitlines()):
        encoding = "quoted-printable"
        text = quopri.encodestring(text.encode()).decode("ascii")
    return f"Content-Type: text/{subtype}; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{text}"


def one_line(text: str) -> str:
    """Answer ``text``; raises ValueError when it would end its header and begin another."""
    if not text.isprintable():
        raise ValueError("a header of an email cannot contain line breaks or control characters")
    return text


def ascii_address(address: str) -> str:
    """Answer the address as SMTP without extensions can carry it: the domain in IDNA.

    Raises ValueError for one that cannot be carried.
    """
    local, at, domain = one_line(address).rpartition("@")
    if not at or not local or not local.isascii() or any(mark in address for mark in " <>,"):
        raise ValueError("the address has no form that every mail server takes")
    return f"{local}@{domain.encode('idna').decode('ascii')}"
