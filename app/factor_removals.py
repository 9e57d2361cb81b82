"""Removing the second factors of somebody else: after a day, in which the user can stop it."""

from datetime import datetime

from sqlalchemy.orm.exc import StaleDataError

from app import email, second_factors
from app.extensions import db
from app.kit.db.database import insert_unless_taken, lock_row, utc_now
from app.models import AuditEvent, FactorRemoval, Permission, User
from app.models.audit_event import acting_as


def begin(user: User, administrator: User, reason: str, due_at: datetime) -> bool:
    """Let the second factors of ``user`` be removed at ``due_at``, and mail a link that stops it.

    Return False if a removal waits already. The caller has checked who may, and commits.
    """
    values = {"user_id": user.id, "requested_by_id": administrator.id, "reason": reason, "due_at": due_at}
    if not insert_unless_taken(db.session(), FactorRemoval, created_at=utc_now(), **values):
        return False
    AuditEvent.record("second_factor.removal_requested", subject=user, reason=reason)
    email.factor_removal.send(user)
    return True


def stop(removal: FactorRemoval) -> bool:
    """Stop a removal. Return False if it was over before. The caller commits."""
    if not removal.take():
        return False
    AuditEvent.record("second_factor.removal_stopped", subject=removal.user)
    return True


def finish_due() -> None:
    """Remove the second factors whose time has come, unless the administrator may not any more; commit each."""
    for removal in FactorRemoval.due():
        try:
            _finish(removal)
        except StaleDataError:  # the user changed at this moment; the next run sees how
            db.session.rollback()
        db.session.commit()


def _finish(removal: FactorRemoval) -> None:
    user, administrator = removal.user, removal.requested_by
    lock_row(db.session, user)
    if not removal.take() or not second_factors.has_factor(user):
        return
    role = administrator.role
    if administrator.may_log_in and role and role.has(Permission.REMOVE_FACTORS) and role.includes(user.role):
        with acting_as(administrator, None):
            second_factors.remove_all(user, "an administrator")
