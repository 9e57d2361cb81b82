"""Deletion of users and of their data. Their audit events stay, without names."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, event, func, select, update

from app.extensions import db
from app.kit.db.database import PLAIN
from app.models.audit_event import AuditEvent
from app.models.email import Email
from app.models.recipient_limit import RecipientLimit
from app.models.stored_file import StoredFile, discard_after_commit
from app.models.user import User


def delete_user(user: User) -> None:
    """Delete the user with sessions, devices, exports, emails and files. The caller commits.

    Audit events stay, without the user; those of the user's own acts also without the IP address.
    """
    db.session.flush()
    delete_users(User.id == user.id, at_most=1)


def delete_users(condition: ColumnElement[bool], at_most: int) -> int:
    """Delete up to ``at_most`` users who meet ``condition``, as :func:`delete_user` does, and return how many."""
    user_ids = _lock(condition, at_most)
    connection = db.session.connection()
    _delete_traces(connection, user_ids)
    # With the database's cascade, which does not fail if a second request does the same.
    connection.execute(delete(User).where(User.id.in_(user_ids)))
    return len(user_ids)


@event.listens_for(User, "before_delete")
def _delete_traces_first(_mapper: object, connection: Connection, user: User) -> None:
    """Delete the same data on ``session.delete(user)``."""
    _delete_traces(connection, [user.id])


def _delete_traces(connection: Connection, user_ids: Sequence[int]) -> None:
    addresses = select(func.lower(User.email)).where(User.id.in_(user_ids))
    was_actor, was_subject = AuditEvent.actor_id.in_(user_ids), AuditEvent.subject_id.in_(user_ids)
    for condition, values in (
        (was_actor, {"former_actor_id": AuditEvent.actor_id}),
        (was_subject, {"former_subject_id": AuditEvent.subject_id}),
        # Without an actor, as for a login, the IP address is the subject's; an administrator keeps theirs.
        (was_actor | AuditEvent.actor_id.is_(None), {"ip_address": ""}),
    ):
        # Most events have no actor. SQLite, once it has counted them, would therefore read the whole log instead of
        # the index of actors, and hold its lock meanwhile; the query of the ids reads indexes alone.
        connection.execute(update(AuditEvent).where(AuditEvent.about(user_ids), condition).values(values))
    connection.execute(delete(RecipientLimit).where(RecipientLimit.address.in_(addresses)))
    connection.execute(delete(Email).where(Email.user_id.in_(user_ids)))
    files = delete(StoredFile).where(StoredFile.user_id.in_(user_ids)).returning(StoredFile.key)
    discard_after_commit(connection.scalars(files).all())


def _lock(condition: ColumnElement[bool], at_most: int) -> Sequence[int]:
    """Lock up to ``at_most`` users who meet ``condition``, and return their ids.

    None of them can confirm or sign up again meanwhile. Every transaction that needs several rows locks the
    user's row first, to avoid deadlocks.
    """
    batch = select(User.id).where(condition).limit(at_most)
    # The condition is there twice because PostgreSQL checks the outer one again after waiting for a row.
    locking = (
        update(User).where(condition, User.id.in_(batch)).values(access_version=User.access_version).returning(User.id)
    )
    return db.session.scalars(locking, execution_options=PLAIN).all()
