"""Build email messages as SMTP sends them."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from app.kit.db.database import utc_now

# RFC 5321, 4.5.3.1.6: a line has at most 1000 octets, its end included.
LONGEST_LINE = 998
# RFC 2045, 6.7: a quoted-printable line has at most 76. ASCII alone: not every server takes more.
POLICY = SMTP.clone(max_line_length=76, cte_type="7bit")


@dataclass(frozen=True)
class Message:
    """What SMTP needs: two bare addresses, and the message as bytes."""

    sender: str
    recipient: str
    content: bytes


def build_message(*, sender: str, recipient: str, subject: str, text: str, html: str, message_id: str) -> Message:
    """Build a message with a text part and an HTML part.

    ``sender`` is an address or "Name <address>". Raises ValueError when a value would break a header, for example
    with a line break: nobody must be able to add headers through a subject.
    """
    name, sender_address = parseaddr(sender)
    from_, to = _ascii_address(sender_address, name), _ascii_address(recipient)
    message = EmailMessage(POLICY)
    message["From"] = from_
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = utc_now()
    message["Message-ID"] = message_id
    # Keeps holiday replies and ticket systems from answering (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text, cte=_encoding(text))
    message.add_alternative(html, subtype="html", cte=_encoding(html))
    return Message(from_.addr_spec, to.addr_spec, message.as_bytes())


def _ascii_address(address: str, name: str = "") -> Address:
    """Return the address for SMTP without extensions, with the domain in IDNA.

    Raises ValueError for an address that cannot be written so.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local:
        raise ValueError("the address has no @ between two parts")
    return Address(name, addr_spec=f"{local}@{domain.encode('idna').decode('ascii')}")


def _encoding(text: str) -> str:
    """Return the transfer encoding of a part: 7bit if every server takes the text as it is."""
    is_plain = text.isascii() and all(len(line) <= LONGEST_LINE for line in text.splitlines())
    return "7bit" if is_plain else "quoted-printable"
