"""Recovery of an account from somebody who changed it without its owner."""

from flask import current_app
from sqlalchemy import ColumnElement, delete, exists, or_, select, update

from app import email, second_factors
from app.extensions import db
from app.kit.auth.user_agent import request_details
from app.kit.db.database import utc_now
from app.models import AuditEvent, AuthenticatorApp, LinkedIdentity, Passkey, RecoveryCode, User, UserSession
from app.models.flow import PLAIN

ADDED_BY_SOMEBODY = (AuthenticatorApp, Passkey, LinkedIdentity)
Added = type[AuthenticatorApp] | type[Passkey] | type[LinkedIdentity] | type[RecoveryCode]


def has_recent_factors(user: User) -> bool:
    """Return whether a second factor or a link to another account was added within RECENT_FACTOR_AGE."""
    found = or_(*(exists().where(_is_recent(model, user)) for model in ADDED_BY_SOMEBODY))
    return bool(db.session.scalar(select(found)))


def take_back(user: User, token: str, and_remove_recent_factors: bool = False) -> bool:
    """Restore the address that ``token`` was mailed to and end every session. The caller commits.

    Returns False if the token is not valid, or another account has the address by now.
    """
    told_before = user.addresses_to_tell()
    if not user.redeem_not_me(token):
        return False
    UserSession.end_all(user)
    email.cancel_waiting(user)
    email.reset_password.send_unlimited(user)
    if user.email != told_before[0]:
        _tell(user, told_before)
    AuditEvent.record("user.locked_out_intruder", subject=user)
    if and_remove_recent_factors:
        _remove_recent_factors(user)
    return True


def _remove_recent_factors(user: User) -> None:
    """Remove what the intruder may have added. Otherwise the owner would be asked for a code of the intruder's app."""
    for model in ADDED_BY_SOMEBODY:
        db.session.execute(delete(model).where(_is_recent(model, user)), execution_options=PLAIN)
    # Not deleted: an older factor is asked for as long as there are codes.
    recent = update(RecoveryCode).where(_is_recent(RecoveryCode, user), RecoveryCode.used_at.is_(None))
    db.session.execute(recent.values(used_at=utc_now()), execution_options=PLAIN)
    second_factors.removed(user, "What was added lately")


def _is_recent(model: Added, user: User) -> ColumnElement[bool]:
    since = utc_now() - current_app.config["RECENT_FACTOR_AGE"]
    return (model.user_id == user.id) & (model.created_at > since)


def _tell(user: User, told_before: list[str]) -> None:
    """Notify all present and former addresses. Those that lost their right to the account get no link."""
    for recipient in dict.fromkeys([*user.addresses_to_tell(), *told_before]):
        email.email_changed.send(user, recipient=recipient, new_email=user.email, **request_details())
