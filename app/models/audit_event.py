"""The audit log. Each event is written in the transaction that it records."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from flask import g, has_request_context, request
from flask_login import current_user
from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, Row, Select, String, bindparam, select, union
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import UTCDateTime, utc_now
from app.models.user import User

Login = Row[datetime, str, dict[str, Any]]


class AuditEvent(Model):
    """One event, such as ``user.disabled``, for which ``app/audit.py`` has the sentence.

    It stays when its people are deleted, without their names: the former ids, which nobody else ever gets, only tell
    which events are about the same account.
    """

    __tablename__ = "audit_events"
    # For the list, newest first: of all events, of a kind, of a person, and from an IP address.
    __table_args__ = (
        Index("ix_audit_events_when", "created_at", "id"),
        Index("ix_audit_events_event_when", "event", "created_at", "id"),
        Index("ix_audit_events_parent_when", "parent_id", "created_at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    event: Mapped[str] = mapped_column(String(64))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    former_actor_id: Mapped[int | None] = mapped_column(default=None)
    former_subject_id: Mapped[int | None] = mapped_column(default=None)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    ip_address: Mapped[str] = mapped_column(String(45), default="", index=True)
    request_id: Mapped[str | None] = mapped_column(String(64))
    # The event to which this one belongs, such as a change of many users. It may be purged first.
    parent_id: Mapped[int | None] = mapped_column(default=None)

    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id])
    subject: Mapped[User | None] = relationship(foreign_keys=[subject_id])

    @property
    def is_about_actor(self) -> bool:
        """Whether somebody did this to their own account."""
        actor, subject = self.actor_id or self.former_actor_id, self.subject_id or self.former_subject_id
        return actor is not None and actor == subject

    @classmethod
    def record(
        cls, event: str, subject: User | None = None, actor: User | None = None, **details: object
    ) -> "AuditEvent":
        """Add an event to the caller's transaction, and return it. The actor defaults to the current user.

        Of what an administrator does while looking at the site as another user, the administrator is the actor.
        """
        in_request = has_request_context()
        actor = actor or acting_user()
        if in_request and (seen := g.get("impersonation")):
            actor = db.session.get(User, seen.administrator_id)
            details["looking_as_account"] = seen.person_id
        row = cls(
            event=event,
            actor=actor,
            subject=subject,
            details=details,
            ip_address=(request.remote_addr or "")[:45] if in_request else "",
            request_id=g.get("request_id") if in_request else None,
            parent_id=g.get("parent_event_id"),
        )
        db.session.add(row)
        return row

    @classmethod
    def about(cls, user_ids: Sequence[int], ip_address: str = "") -> ColumnElement[bool]:
        """Return the condition of events that one of these users did or suffered, or that came from this address."""
        # Each of the queries reads an index; a database that is given `a OR b` and an order reads all events.
        found = [select(cls.id).where(column.in_(user_ids)) for column in (cls.actor_id, cls.subject_id)]
        if ip_address:
            found.append(select(cls.id).where(cls.ip_address == ip_address))
        return cls.id.in_(union(*found))

    @classmethod
    def with_people(cls) -> Select["AuditEvent"]:
        """Return a query of all events that loads their actors and subjects, for the caller to filter and order."""
        # Not by a join of the query's own: PostgreSQL would count 10,000 rows in 11 ms instead of 1.
        people = (cls.actor, cls.subject)
        return select(cls).options(*(joinedload(person).lazyload(User.role) for person in people))

    @classmethod
    def logins_of(cls, user: User, most: int) -> Sequence[Login]:
        """Return when, from where and how ``user`` logged in the last times, newest first."""
        return db.session.execute(_logins(), {"user_id": user.id, "most": most}).all()


def acting_user() -> User | None:
    """Return who acts: the current user, or in a job the one named by :func:`acting_as`."""
    if not has_request_context():
        return g.get("acting_user")
    return current_user._get_current_object() if current_user.is_authenticated else None


@contextmanager
def acting_as(user: User, parent_event_id: int | None) -> Iterator[None]:
    """Let a job act for ``user``, who has started it; events of the block belong to that of the start."""
    g.acting_user, g.parent_event_id = user, parent_event_id
    try:
        yield
    finally:
        del g.acting_user, g.parent_event_id


@cache
def _logins() -> Select[datetime, str, dict[str, Any]]:
    # Built once, because every home of a user runs it.
    return (
        select(AuditEvent.created_at, AuditEvent.ip_address, AuditEvent.details)
        .where(AuditEvent.subject_id == bindparam("user_id"), AuditEvent.event == "user.logged_in")
        .order_by(AuditEvent.id.desc())
        .limit(bindparam("most"))
    )
