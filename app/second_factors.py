"""The second factors of a user: checking what was typed, and what follows when one is added or removed."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta

from flask import current_app
from sqlalchemy import delete, func, select, update

from app import email
from app.extensions import db
from app.kit.auth import totp
from app.kit.auth.user_agent import request_details
from app.kit.core.data_keys import UnreadableError, decrypt
from app.kit.db.database import PLAIN, lock_unchanged, utc_now
from app.models import (
    AuditEvent,
    AuthenticatorApp,
    Flow,
    Passkey,
    RecoveryCode,
    User,
    UserSession,
    Way,
    second_factors,
    ways_by_user,
)
from app.models.audit_event import acting_user
from app.models.flow import digest

log = logging.getLogger(__name__)
NOT_IN_CODES = re.compile(r"[^a-z0-9]")
# Who copies a code by hand confuses these; codes have only the second of each pair.
LOOK_ALIKE = str.maketrans("oil", "011")
WRONG_CLOCK = "This code is right for another time. Check the clock of your device, and let it set the time by itself."


def tried(flow: Flow, user: User, check: Callable[[], Way | None]) -> Way | None:
    """Count a try to finish the begun login ``flow``, and return what ``check`` has proven, or None.

    The caller commits. Raises ``StaleDataError`` if the account changed.
    """
    # First, as in every transaction that needs several rows of a user; tries at once run one after the other.
    lock_unchanged(db.session, user)
    if not flow.count_try(current_app.config["SECOND_STEP_TRIES"]):
        return None
    way = check()
    if way is None:
        _note_failure(user)
    return way


def use_code(user: User, typed: str) -> Way | None:
    """Return what ``typed`` is for this user, and use it up, or None if it is wrong. The caller commits."""
    code = totp.typed_code(typed)
    if code is not None:
        return Way.APP if _use_code_of_app(user, code) else None
    return Way.RECOVERY_CODE if _use_recovery_code(user, typed) else None


def _use_code_of_app(user: User, code: str) -> bool:
    """Store the step of a right code, in one statement: of many requests with the same code, one finds it unused."""
    secret = _secret_of_app(user)
    step = totp.accepted_step(secret, code) if secret else None
    if step is None:
        return False
    unused = (AuthenticatorApp.user_id == user.id, AuthenticatorApp.last_step < step)
    using = update(AuthenticatorApp).where(*unused).values(last_step=step, last_used_at=utc_now())
    return db.session.scalar(using.returning(AuthenticatorApp.id), execution_options=PLAIN) is not None


def _secret_of_app(user: User) -> bytes | None:
    """Return the secret of the user's app; None without an app, or its key, which `manage.py doctor` reports, too."""
    app = AuthenticatorApp.of(user)
    try:
        return decrypt(app.encrypted_secret) if app else None
    except UnreadableError:
        log.error("the secret of an authenticator app was encrypted with a key that is not in DATA_KEYS")
        return None


def _use_recovery_code(user: User, typed: str) -> bool:
    """Mark a code as used, in one statement, and tell the owner."""
    code = NOT_IN_CODES.sub("", typed.lower()).translate(LOOK_ALIKE)
    unused = (RecoveryCode.user_id == user.id, RecoveryCode.code_hash == digest(code), RecoveryCode.used_at.is_(None))
    using = update(RecoveryCode).where(*unused).values(used_at=utc_now()).returning(RecoveryCode.id)
    if db.session.scalar(using, execution_options=PLAIN) is None:
        return False
    left = RecoveryCode.left(user)
    email.recovery_code_used.send(
        user, left=left, are_few=left <= current_app.config["FEW_RECOVERY_CODES"], **request_details()
    )
    return True


def _note_failure(user: User) -> None:
    """Record a wrong second factor, and warn the owner of several within a day.

    Who gets here has proven the first factor: the password is known to somebody (ASVS 6.3.5).
    """
    AuditEvent.record("second_factor.wrong", subject=user)
    kind = (AuditEvent.subject_id == user.id, AuditEvent.event == "second_factor.wrong")
    of_today = (*kind, AuditEvent.created_at > utc_now() - timedelta(days=1))
    count = db.session.scalar(select(func.count()).select_from(AuditEvent).where(*of_today)) or 0
    if count % current_app.config["WRONG_SECOND_FACTORS_BEFORE_NOTICE"] == 0:
        email.wrong_second_factors.send(user, count=count, **request_details())


def problem_with(user: User, typed: str) -> str:
    """Return what is wrong with a code that was refused, without using it up."""
    code, secret = totp.typed_code(typed), _secret_of_app(user)
    if code is None or secret is None:
        return "This code is wrong."
    if totp.accepted_step(secret, code) is not None:
        return "This code was used already. Wait until your app shows the next one."
    return WRONG_CLOCK if totp.is_of_wrong_clock(secret, code) else "This code is wrong."


def added(user: User, own: UserSession, way: Way, what: str) -> None:
    """Record and mail that a second factor was added, and let it count for the session that added it.

    The caller has locked the user's row before it added the factor, and commits.
    """
    AuditEvent.record("second_factor.added", subject=user, what=what)
    tell(user, f"{what} was added.")
    own.add_way(way, has_two_factors=bool(second_factors(user)))


def removed(user: User, what: str) -> None:
    """Record and mail that a second factor was removed. Recovery codes alone guard nothing, and go with the last one.

    The caller has locked the user's row before it removed the factor, and commits.
    """
    AuditEvent.record("second_factor.removed", subject=user, what=what)
    tell(user, f"{what} was removed.")
    if not has_factor(user):
        without = update(UserSession).where(UserSession.user_id == user.id).values(has_two_factors=False)
        db.session.execute(without)
    RecoveryCode.delete_lone(user)


def has_factor(user: User) -> bool:
    """Return whether the user has a passkey or an app, on or not."""
    return bool(ways_by_user([user.id], (Way.PASSKEY, Way.APP)))


def remove_all(user: User, who: str, by: str = "") -> None:
    """Remove every second factor of ``user`` and end all sessions. The caller commits.

    ``who`` did it, in words for the user; ``by`` is by which means, if nobody is logged in.
    """
    UserSession.end_all(user)
    for model in (AuthenticatorApp, Passkey, RecoveryCode):
        db.session.execute(delete(model).where(model.user_id == user.id), execution_options=PLAIN)
    AuditEvent.record("second_factor.reset", subject=user, by=by)
    tell(user, f"All second factors were removed by {who}.")


def tell(user: User, what: str) -> None:
    """Mail ``what`` has happened to the user's second factors."""
    # Of somebody else's act the address and browser are not the user's business.
    origin = request_details() if acting_user() == user else {}
    email.second_factor_changed.send(user, what=what, **origin)
