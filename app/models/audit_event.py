"""The audit log. Each event is written in the transaction that it records."""

from datetime import datetime
from typing import Any

from flask import g, has_request_context, request
from flask_login import current_user
from sqlalchemy import JSON, ForeignKey, Select, String, select
from sqlalchemy.orm import Mapped, aliased, contains_eager, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import UTCDateTime, utc_now
from app.models.user import User


class AuditEvent(Model):
    """One event, such as ``user.disabled``, for which ``app/audit.py`` has the sentence.

    It stays when its people are deleted, without their names: the former ids, which nobody else ever gets, only tell
    which events are about the same account.
    """

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)
    event: Mapped[str] = mapped_column(String(64), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    former_actor_id: Mapped[int | None]
    former_subject_id: Mapped[int | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    ip_address: Mapped[str] = mapped_column(String(45), default="")
    request_id: Mapped[str | None] = mapped_column(String(64))

    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id])
    subject: Mapped[User | None] = relationship(foreign_keys=[subject_id])

    @classmethod
    def record(cls, event: str, subject: User | None = None, actor: User | None = None, **details: object) -> None:
        """Add an event to the caller's transaction. The actor defaults to the current user."""
        in_request = has_request_context()
        if actor is None and in_request and current_user.is_authenticated:
            actor = current_user._get_current_object()
        db.session.add(
            cls(
                event=event,
                actor=actor,
                subject=subject,
                details=details,
                ip_address=(request.remote_addr or "")[:45] if in_request else "",
                request_id=g.get("request_id") if in_request else None,
            )
        )

    @classmethod
    def with_people(cls) -> Select["AuditEvent"]:
        """Return a query of all events joined with ``Actor`` and ``Subject``, for the caller to filter and order."""
        return (
            select(cls)
            .outerjoin(cls.actor.of_type(Actor))
            .outerjoin(cls.subject.of_type(Subject))
            .options(
                contains_eager(cls.actor.of_type(Actor)).lazyload(Actor.role),
                contains_eager(cls.subject.of_type(Subject)).lazyload(Subject.role),
            )
        )


Actor = aliased(User, name="actor")
Subject = aliased(User, name="subject")
