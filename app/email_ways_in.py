"""The emails about ways to log in, in the catalog of ``app/email.py``."""

from app.email import SAMPLE_LINK, SAMPLE_ORIGIN, catalog, not_me_link
from app.kit.http.links import external_url
from app.kit.mail.rows import Context
from app.models import FactorRemoval, User


@catalog.email(
    "account/email/second_factor_changed",
    subject="The second factors of your account changed",
    sample={"not_me_link": SAMPLE_LINK, "what": "An authenticator app was added.", **SAMPLE_ORIGIN},
)
def second_factor_changed(user: User, what: str, **origin: str) -> Context:
    """Say ``what`` was added, removed or made anew, in a sentence."""
    return {"not_me_link": not_me_link(user)}


@catalog.email(
    "account/email/recovery_code_used",
    subject="A recovery code was used",
    sample={"not_me_link": SAMPLE_LINK, "left": 3, "are_few": True, **SAMPLE_ORIGIN},
)
def recovery_code_used(user: User, left: int, are_few: bool, **origin: str) -> Context:
    """Tell how many codes are left, with advice when these are few."""
    return {"not_me_link": not_me_link(user)}


@catalog.email(
    "account/email/wrong_second_factors",
    subject="Somebody who knows your password is trying to log in",
    sample={"not_me_link": SAMPLE_LINK, "count": 5, **SAMPLE_ORIGIN},
)
def wrong_second_factors(user: User, count: int, **origin: str) -> Context:
    """Warn of wrong second factors behind a right password, ``count`` within a day."""
    return {"not_me_link": not_me_link(user)}


@catalog.email(
    "account/email/factor_removal",
    subject="Your second factors will be removed",
    sample={"keep_link": SAMPLE_LINK},
)
def factor_removal(user: User) -> Context | None:
    """Mail the link that stops it, as long as this is possible."""
    removal = FactorRemoval.of(user)
    if removal is None:
        return None
    return {"keep_link": external_url("account.keep_second_factors", token=removal.token)}
