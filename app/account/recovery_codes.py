"""Making recovery codes. Until their owner has saved them, they are in a flow, encrypted, and none of them works."""

from secrets import choice

from flask import current_app
from flask_login import current_user
from sqlalchemy import delete

from app import second_factors
from app.extensions import db
from app.kit.core.data_keys import UnreadableError, decrypt, encrypt
from app.kit.db.database import lock_unchanged
from app.models import AuditEvent, RecoveryCode, UserSession
from app.models.flow import PLAIN, Flow, digest
from app.sessions import current_session

NEW_CODES = "new_recovery_codes"
# Crockford's base32, which has no letters that look like a digit. 24 of them are 120 bits.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
GROUPS, GROUP = 6, 4


def begin() -> None:
    """Make new codes for the current user. The caller commits."""
    codes = " ".join(_new_code() for _ in range(current_app.config["RECOVERY_CODES"]))
    Flow.begin(NEW_CODES, current_user, codes=encrypt(codes.encode()))


def _new_code() -> str:
    return "-".join("".join(choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def begun() -> tuple[Flow, list[str]] | None:
    """Return the codes that the current user has not saved yet, with their flow; None without any."""
    flow = Flow.newest(NEW_CODES)
    if flow is None or flow.user_id != current_user.id:
        return None
    try:
        return flow, decrypt(flow.data["codes"]).decode().split()
    except UnreadableError:  # the key was taken away meanwhile
        return None


def name_of(flow: Flow) -> str:
    """Return a name of these codes, by which the page that shows them says that they are saved."""
    return flow.token_hash[:16]


def save(flow: Flow, codes: list[str]) -> bool:
    """Let these codes replace the former ones. Return False if another request did so. The caller commits.

    From now on logins ask for a second factor. Whoever logged in without one is logged out.
    """
    own = current_session()
    user = own.user
    lock_unchanged(db.session, user)
    was_on = bool(second_factors.second_factors(user))
    if not second_factors.has_factor(user) or not flow.take():
        return False
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id), execution_options=PLAIN)
    db.session.add_all(RecoveryCode(user_id=user.id, code_hash=digest(code.replace("-", ""))) for code in codes)
    if was_on:
        AuditEvent.record("recovery_codes.made", subject=user)
        second_factors.tell(user, "New recovery codes were made. The old ones are void.")
    else:
        UserSession.end_all(user, except_id=own.id)
        own.has_two_factors = True
        AuditEvent.record("second_factor.turned_on", subject=user)
        second_factors.tell(user, "From now on, logging in takes a second factor.")
    return True
