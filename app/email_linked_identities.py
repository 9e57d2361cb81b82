"""The notices of accounts at providers that were linked to an account, or unlinked."""

from app.email import SAMPLE_LINK, SAMPLE_ORIGIN, catalog, not_me_link
from app.kit.mail.rows import Context, Json
from app.models import User

SAMPLE: dict[str, Json] = {"provider": "Example", "not_me_link": SAMPLE_LINK, **SAMPLE_ORIGIN}


@catalog.email("account/email/identity_linked", subject="A new way to log in to your account", sample=SAMPLE)
def identity_linked(user: User, provider: str, **origin: str) -> Context:
    """Tell the owner, who may not have done it, with a link to stop it."""
    return {"not_me_link": not_me_link(user)}


@catalog.email("account/email/identity_unlinked", subject="A way to log in was removed", sample=SAMPLE)
def identity_unlinked(user: User, provider: str, **origin: str) -> Context:
    """Tell the owner the same of the opposite."""
    return {"not_me_link": not_me_link(user)}
