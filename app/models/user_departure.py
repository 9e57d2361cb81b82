"""Deleting a person: what goes, and the trace without a name that stays."""

from sqlalchemy import delete, or_, update

from app.extensions import db
from app.models.audit_event import AuditEvent
from app.models.email import Email
from app.models.user import User


def delete_user(user: User) -> None:
    """Delete the user with sessions, devices, exports and emails; the caller commits.

    Audit events stay, without saying whom they were about or from where.
    """
    db.session.flush()
    about_user = or_(AuditEvent.actor_id == user.id, AuditEvent.subject_id == user.id)
    db.session.execute(update(AuditEvent).where(about_user).values(ip_address=""))
    db.session.execute(delete(Email).where(Email.user_id == user.id))
    user.delete()
