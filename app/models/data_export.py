"""Exports of a user's data, written by a job and offered for a day."""

import json
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, ForeignKey, Text, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import UTCDateTime, utc_now
from app.models.audit_event import AuditEvent
from app.models.authenticator_app import AuthenticatorApp
from app.models.consent import Consent
from app.models.former_address import FormerAddress
from app.models.linked_identity import LinkedIdentity
from app.models.passkey import Passkey
from app.models.recovery_code import RecoveryCode
from app.models.user import User
from app.models.user_session import UserSession

CONSENT = ("document", "digest", "revision_id", "created_at", "ip_address", "how")


class DataExport(Model):
    """One requested export; ``content`` is JSON text once ``ready_at`` is set."""

    __tablename__ = "data_exports"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)
    ready_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    content: Mapped[str | None] = mapped_column(Text)

    user: Mapped[User] = relationship()

    @classmethod
    def offered_to(cls, user: User) -> list["DataExport"]:
        """Return the user's exports that are still offered, newest first."""
        query = select(cls).where(cls.user_id == user.id, cls._is_offered()).order_by(cls.id.desc())
        return list(db.session.scalars(query))

    @classmethod
    def offered_with_id(cls, user: User, export_id: int) -> "DataExport | None":
        """Return the export with this id if it is the user's and still offered, else None."""
        query = select(cls).where(cls.id == export_id, cls.user_id == user.id, cls._is_offered())
        return db.session.scalar(query)

    @classmethod
    def is_over(cls) -> ColumnElement[bool]:
        """Return the condition of exports that are no longer offered."""
        return ~cls._is_offered()

    @classmethod
    def _is_offered(cls) -> ColumnElement[bool]:
        return cls.created_at > utc_now() - current_app.config["DATA_EXPORT_LIFETIME"]

    @property
    def offered_until(self) -> datetime:
        """When the export stops being offered."""
        return self.created_at + current_app.config["DATA_EXPORT_LIFETIME"]

    def write(self) -> None:
        """Store the user's data as JSON text, without secrets such as hashes. The caller commits."""
        self.content = json.dumps(
            _everything_about(self.user), indent=2, default=datetime.isoformat, ensure_ascii=False
        )
        self.ready_at = utc_now()


def _everything_about(user: User) -> dict[str, Any]:
    """Return the user's data, including that of the areas."""
    about_user = or_(AuditEvent.actor_id == user.id, AuditEvent.subject_id == user.id)
    app = AuthenticatorApp.of(user)
    events = db.session.scalars(select(AuditEvent).where(about_user).order_by(AuditEvent.id))
    return {
        "account": {
            "first_name": user.first_name,
            "last_name": user.last_name,
            "nickname": user.nickname,
            "time_zone": user.time_zone,
            "about": user.about,
            "email": user.email,
            "confirmed": user.confirmed,
            "role": user.role.name if user.role else None,
            "created_at": user.created_at,
        },
        "authenticator_app": app and _part(app, "created_at", "last_used_at"),
        "recovery_codes": [_part(row, "created_at", "used_at") for row in RecoveryCode.of(user)],
        "passkeys": [_part(row, "name", "created_at", "last_used_at") for row in Passkey.of(user)],
        "linked_accounts": [
            _part(row, "provider", "subject", "email", "created_at") for row in LinkedIdentity.of(user)
        ],
        "former_addresses": [_part(row, "email", "until") for row in FormerAddress.of(user.id)],
        "consents": [_part(row, *CONSENT) for row in Consent.of(user)],
        "sessions": [
            _part(row, "browser", "ip_address", "created_at", "last_seen_at") for row in UserSession.living(user)
        ],
        "events": [_event(event, user) for event in events],
        **{name: part for export in current_app.extensions["exports_of_areas"] for name, part in export(user).items()},
    }


def _part(row: Model, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _event(event: AuditEvent, user: User) -> dict[str, Any]:
    by_user = event.actor_id == user.id
    # The IP address of another actor is not this user's data.
    return {"event": event.event, "created_at": event.created_at, "ip_address": event.ip_address if by_user else ""}
