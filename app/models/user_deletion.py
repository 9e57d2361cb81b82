"""Deleting people: what goes, and the trace without a name that stays."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, event, func, or_, select, update

from app.extensions import db
from app.models.audit_event import AuditEvent
from app.models.email import Email
from app.models.recipient_limit import RecipientLimit
from app.models.user import User

PLAIN = {"synchronize_session": False}


def delete_user(user: User) -> None:
    """Delete the user with sessions, devices, exports and emails; the caller commits.

    Audit events stay, without saying whom they were about or from where.
    """
    db.session.flush()
    delete_users(User.id == user.id, at_most=1)


def delete_users(condition: ColumnElement[bool], at_most: int) -> int:
    """Delete users who meet ``condition`` in the way of :func:`delete_user`; return how many; the caller commits."""
    user_ids = _hold(condition, at_most)
    connection = db.session.connection()
    _delete_traces(connection, user_ids)
    # The database's own cascade: a second request that does the same finds nothing to do.
    connection.execute(delete(User).where(User.id.in_(user_ids)))
    return len(user_ids)


@event.listens_for(User, "before_delete")
def _delete_traces_first(_mapper: object, connection: Connection, user: User) -> None:
    """Let ``session.delete(user)`` do the same, wherever it stands."""
    _delete_traces(connection, [user.id])


def _delete_traces(connection: Connection, user_ids: Sequence[int]) -> None:
    about_users = or_(AuditEvent.actor_id.in_(user_ids), AuditEvent.subject_id.in_(user_ids))
    addresses = select(func.lower(User.email)).where(User.id.in_(user_ids))
    connection.execute(update(AuditEvent).where(about_users).values(ip_address=""))
    connection.execute(delete(RecipientLimit).where(RecipientLimit.address.in_(addresses)))
    connection.execute(delete(Email).where(Email.user_id.in_(user_ids)))


def _hold(condition: ColumnElement[bool], at_most: int) -> Sequence[int]:
    """Return the ids of users who meet ``condition``, none of whom can confirm or sign up anew meanwhile.

    The user's row comes first, as in every transaction that needs several rows: two that wait for each other
    would be ended by the database.
    """
    portion = select(User.id).where(condition).limit(at_most)
    # The condition stands twice: PostgreSQL checks the outer one again after it waited for a row.
    holding = update(User).where(condition, User.id.in_(portion)).values(id=User.id).returning(User.id)
    return db.session.scalars(holding, execution_options=PLAIN).all()
