"""The emails that the application sends. Their texts are in templates/account/email/.

``confirm.send(user)`` inserts a row in the caller's transaction. The worker calls the function below when
it sends the email. The function returns the template's variables, or None to cancel an email that no
longer makes sense. See docs/delivery.md.
"""

from sqlalchemy import update

from app.extensions import db
from app.kit.http.links import external_url
from app.kit.mail.catalog import NORMAL, URGENT, Catalog, CatalogEmail
from app.kit.mail.rows import Context, EmailState, Json
from app.models import Email, FactorRemoval, RecipientLimit, User

catalog = Catalog(Email, RecipientLimit)
SAMPLE_LINK = "https://example.com/account/sample-link"
SAMPLE_ORIGIN = {"ip_address": "203.0.113.7", "browser": "Firefox on Linux"}


def send_email(recipient: str, subject: str, template: str, **context: Json) -> None:
    """Send an email that has no entry below, from ``<template>.html`` and ``<template>.txt``.

    The email is part of the caller's transaction: it is sent after the commit, and never after a rollback.
    ``context`` holds JSON values for the template. It is stored, so it must not hold tokens or links with one.
    """
    catalog.add_row(recipient=recipient, subject=subject, template=template, context=context, priority=NORMAL, kind="")


@catalog.email(
    "account/email/confirm",
    subject="Confirm your account",
    priority=URGENT,
    limited_per_recipient=True,
    sample={"confirm_link": SAMPLE_LINK},
)
def confirm(user: User) -> Context | None:
    if user.confirmed or user.is_disabled:
        return None
    token = user.generate_confirmation_token()
    return {"confirm_link": external_url("account.confirm", token=token)}


@catalog.email(
    "account/email/reset_password",
    subject="Reset your password",
    priority=URGENT,
    limited_per_recipient=True,
    sample={"reset_link": SAMPLE_LINK, "forced": False},
)
def reset_password(user: User, forced: bool = False) -> Context | None:
    """Mail a link to choose a password; ``forced`` says that an administrator asked, and the old one is gone."""
    if user.is_disabled:
        return None
    token = user.generate_password_reset_token()
    return {"reset_link": external_url("account.reset_password", token=token), "forced": forced}


@catalog.email(
    "account/email/invite",
    subject="You are invited to join",
    priority=URGENT,
    sample={"invite_link": SAMPLE_LINK},
)
def invite(user: User) -> Context | None:
    if not user.is_invited or user.is_disabled:
        return None
    token = user.generate_invitation_token()
    return {"invite_link": external_url("account.join_from_invite", user_id=user.id, token=token)}


@catalog.email(
    "account/email/already_registered",
    subject="You already have an account",
    limited_per_recipient=True,
    sample={"login_link": SAMPLE_LINK, "reset_link": SAMPLE_LINK},
)
def already_registered(user: User) -> Context | None:
    """Tell the owner of an address that somebody tried to register it again.

    The email includes a reset link. An attacker who registers the address five times an hour uses up its rate
    limit, and must not keep the owner from resetting the password.
    """
    if user.is_disabled:
        return None
    return {
        "login_link": external_url("account.login"),
        "reset_link": external_url("account.reset_password", token=user.generate_password_reset_token()),
    }


@catalog.email(
    "account/email/change_email",
    subject="Confirm your new email address",
    priority=URGENT,
    to="new_email",
    limited_per_recipient=True,
    sample={"change_email_link": SAMPLE_LINK, "new_email": "ada.new@example.com"},
)
def change_email(user: User, new_email: str) -> Context | None:
    """Ask the new address for confirmation."""
    if user.is_disabled or user.email == new_email:
        return None
    token = user.generate_email_change_token(new_email)
    return {"change_email_link": external_url("account.change_email", token=token)}


@catalog.email(
    "account/email/email_changed",
    subject="Your email address was changed",
    to="recipient",
    sample={"not_me_link": SAMPLE_LINK, "new_email": "ada.new@example.com", **SAMPLE_ORIGIN},
)
def email_changed(user: User, recipient: str, new_email: str, **origin: str) -> Context | None:
    """Notify the new address and those of the last 30 days, one row each. Those that lost their right get no link."""
    link = not_me_link(user, recipient)
    return {"not_me_link": link} if link or user.email == new_email else None


@catalog.email("account/email/impersonated", subject="An administrator looked at the site as you", sample={})
def impersonated(user: User) -> Context | None:
    return None if user.is_disabled else {}


@catalog.email("account/email/export_ready", subject="Your data is ready", sample={"exports_link": SAMPLE_LINK})
def export_ready(user: User) -> Context | None:
    if user.is_disabled:
        return None
    return {"exports_link": external_url("account.exports")}


@catalog.email(
    "account/email/users_exported",
    subject="The list of users is ready",
    sample={"task_link": SAMPLE_LINK, "task_id": 1},
)
def users_exported(user: User, task_id: int) -> Context | None:
    if user.is_disabled:
        return None
    return {"task_link": external_url("admin.bulk_task", task_id=task_id)}


@catalog.email(
    "account/email/account_deleted",
    subject="Your account was deleted",
    outlives_user=True,
    sample={"full_name": "Ada Lovelace"},
)
def account_deleted(full_name: str = "") -> Context:
    """Notify the address of an account that is already deleted when this is sent."""
    return {}


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


def notice(name: str, subject: str, **sample: Json) -> CatalogEmail:
    """Return an email that tells the owner what was done to the account, who may not have done it, with a link.

    It is sent with ``request_details()``, which says from where, and with what ``sample`` gives examples of.
    """

    def compose(user: User, **_told: Json) -> Context:
        return {"not_me_link": not_me_link(user)}

    compose.__name__ = name
    sample = {"not_me_link": SAMPLE_LINK, **sample, **SAMPLE_ORIGIN}
    return catalog.email(f"account/email/{name}", subject=subject, sample=sample)(compose)


new_device = notice("new_device", "New login to your account")
# Also of a first password. ``removed`` are the ways to log in that were removed with a reset.
password_changed = notice("password_changed", "Your password was changed", removed="Passkey “Phone”")
password_removed = notice("password_removed", "Your password was removed")
# To the old address, while the change can still be stopped.
email_change_requested = notice(
    "email_change_requested", "Somebody asked to change your email address", new_email="ada.new@example.com"
)
# ``what`` was added, removed or made anew, in a sentence.
second_factor_changed = notice(
    "second_factor_changed", "The second factors of your account changed", what="An authenticator app was added."
)
recovery_code_used = notice("recovery_code_used", "A recovery code was used", left=3, are_few=True)
# Of wrong second factors behind a right password, ``count`` within a day.
wrong_second_factors = notice("wrong_second_factors", "Somebody who knows your password is trying to log in", count=5)
identity_linked = notice("identity_linked", "A new way to log in to your account", provider="Example")
identity_unlinked = notice("identity_unlinked", "A way to log in was removed", provider="Example")


def not_me_link(user: User, recipient: str = "") -> str:
    """Return the link that restores the account to ``recipient``, or an empty string if the address has no right."""
    token = user.generate_not_me_token(recipient or user.email)
    return external_url("account.not_me", token=token) if token else ""


def cancel_waiting(user: User) -> None:
    """Cancel every unsent email about ``user``, since an intruder may have caused it."""
    waiting = (Email.user_id == user.id, Email.state == EmailState.PENDING)
    db.session.execute(update(Email).where(*waiting).values(state=EmailState.CANCELED))
