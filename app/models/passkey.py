"""Passkeys: keys of WebAuthn with which a user logs in."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import UTCDateTime, utc_now
from app.models.user import User

NAME_MAX_LENGTH = 64


class Passkey(Model):
    """The public half of a passkey, which is of no use to whoever copies it."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # Up to 1023 bytes (WebAuthn, 5.1.1); found by its index.
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    # 64 random bytes, the same for all passkeys of a user. The authenticator keeps them, so they must say nothing.
    user_handle: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(default=0)
    # Whether the key may leave its device, and whether it is saved elsewhere by now.
    backup_eligible: Mapped[bool] = mapped_column(default=False)
    backed_up: Mapped[bool] = mapped_column(default=False)
    transports: Mapped[str] = mapped_column(String(128), default="")
    name: Mapped[str] = mapped_column(String(NAME_MAX_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship()

    @classmethod
    def with_credential_id(cls, credential_id: bytes) -> "Passkey | None":
        """Return the passkey that authenticators call so, or None."""
        return db.session.scalar(select(cls).where(cls.credential_id == credential_id))

    @classmethod
    def of(cls, user: User) -> list["Passkey"]:
        """Return the user's passkeys, oldest first."""
        return list(db.session.scalars(select(cls).where(cls.user_id == user.id).order_by(cls.id)))
