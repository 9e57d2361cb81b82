"""The email about passkeys; the others are in email.py."""

from app.email import SAMPLE_LINK, SAMPLE_ORIGIN, catalog, not_me_link
from app.kit.mail.rows import Context
from app.models import User


@catalog.email(
    "account/email/passkeys_changed",
    subject="Your passkeys were changed",
    sample={"not_me_link": SAMPLE_LINK, "change": "added", "name": "Chrome on Linux", **SAMPLE_ORIGIN},
)
def passkeys_changed(user: User, change: str, name: str, **origin: str) -> Context:
    """Tell that a passkey was added or removed, which is the ``change``."""
    return {"not_me_link": not_me_link(user)}
