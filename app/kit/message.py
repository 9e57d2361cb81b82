"""An e-mail message in the form in which it travels."""

import email.policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from app.kit.database import utc_now

# Folds long lines and ends them as SMTP wants; 8-bit text is encoded, since not every server takes it.
_POLICY = email.policy.SMTP.clone(cte_type="7bit")


def build_message(*, sender: str, recipient: str, subject: str, text: str, html: str, message_id: str) -> EmailMessage:
    """Put a message with a text and an HTML part together.

    ``sender`` is an address or "Name <address>". Raises ValueError when a header would be broken,
    by a line break for one: nobody shall add headers of his own by way of a subject.
    """
    message = EmailMessage(policy=_POLICY)
    name, address = parseaddr(sender)
    message["From"] = Address(display_name=name, addr_spec=ascii_address(address))
    message["To"] = Address(addr_spec=ascii_address(recipient))
    message["Subject"] = subject
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = message_id
    # So that holiday replies and ticket systems do not answer a machine (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def ascii_address(address: str) -> str:
    """Answer the address as SMTP without extensions can carry it: the domain in IDNA.

    Raises ValueError for one that cannot be carried.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local or not local.isascii():
        raise ValueError("the address has no form that every mail server takes")
    return f"{local}@{domain.encode('idna').decode('ascii')}"
