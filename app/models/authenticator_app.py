"""Authenticator apps, which show a new code every 30 seconds (TOTP, RFC 6238)."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import UTCDateTime, utc_now
from app.models.user import User


class AuthenticatorApp(Model):
    """The app of a user; one for each."""

    __tablename__ = "authenticator_apps"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    # Encrypted with DATA_KEYS, so that a copy of the database makes no code.
    encrypted_secret: Mapped[str] = mapped_column(String(255))
    # The 30 seconds of the last code that was accepted: each code works once.
    last_step: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship()

    @classmethod
    def of(cls, user: User) -> "AuthenticatorApp | None":
        """Return the user's app, or None."""
        return db.session.scalar(select(cls).where(cls.user_id == user.id))
