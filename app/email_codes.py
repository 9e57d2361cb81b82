"""The emails with a code. Their rows in the outbox hold a nonce, from which the code is derived when they are sent."""

from flask import current_app

from app.email import SAMPLE_LINK, catalog, not_me_link
from app.kit.auth import tokens
from app.kit.http.links import external_url
from app.kit.mail.catalog import URGENT
from app.kit.mail.rows import Context
from app.models import User
from app.models.mailed_code import code_for, is_awaited

SAMPLE_CODE = "3F7K-9QXM"


@catalog.email(
    "account/email/mailed_code",
    subject="Your code to log in",
    priority=URGENT,
    limited_per_recipient=True,
    sample={"code": SAMPLE_CODE, "code_link": SAMPLE_LINK, "reset_link": SAMPLE_LINK},
)
def mailed_code(user: User, nonce: str) -> Context | None:
    """Mail a code and a link, of use only in the browser that asked.

    The email includes a reset link, too. An attacker who asks for codes five times an hour uses up the rate limit of
    the address, and must not keep the owner out.
    """
    if not is_awaited("mailed_code", user, nonce):
        return None
    lifetime = current_app.config["FLOW_LIFETIMES"]["mailed_code"]
    token = tokens.sign("mailed_code", user.uid, (user.access_version,), lifetime, nonce=nonce)
    return {
        "code": code_for("mailed_code", nonce),
        "code_link": external_url("account.mailed_code_link", token=token),
        "reset_link": external_url("account.reset_password", token=user.generate_password_reset_token()),
    }


@catalog.email(
    "account/email/sudo_code",
    subject="Your code to confirm that it is you",
    priority=URGENT,
    sample={"code": SAMPLE_CODE, "not_me_link": SAMPLE_LINK},
)
def sudo_code(user: User, nonce: str) -> Context | None:
    """Mail a code to a user who is logged in and has neither password nor passkey to confirm who they are.

    Its limit is the user's, not the recipient's: strangers must not use it up.
    """
    if not is_awaited("sudo_code", user, nonce):
        return None
    return {"code": code_for("sudo_code", nonce), "not_me_link": not_me_link(user)}
