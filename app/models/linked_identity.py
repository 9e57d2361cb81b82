"""Accounts at other providers with which a user logs in."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, contains_eager, mapped_column, relationship

from app.extensions import Model, db
from app.kit.auth.email_address import EMAIL_MAX_LENGTH
from app.kit.db.database import NEVER_REUSE_IDS, PLAIN, UTCDateTime, utc_now
from app.models.user import User


class LinkedIdentity(Model):
    """An account at a provider: its issuer and subject, never an address, which can go to somebody else."""

    __tablename__ = "linked_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    # The provider's name in the settings, and the address it told, to recognize the account by.
    provider: Mapped[str] = mapped_column(String(32))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship()

    def told(self) -> dict[str, str]:
        """Return the columns that the provider tells."""
        return {name: getattr(self, name) for name in ("issuer", "subject", "provider", "email")}

    @classmethod
    def of(cls, user: User) -> list["LinkedIdentity"]:
        """Return the user's accounts at providers, oldest first."""
        return list(db.session.scalars(select(cls).where(cls.user_id == user.id).order_by(cls.id)))

    @classmethod
    def known(cls, issuer: str, subject: str) -> "LinkedIdentity | None":
        """Return the identity with this issuer and subject if its user is confirmed, or None.

        A sign-up with it must look alike whether its address was free or not, until somebody confirms the address.
        """
        query = select(cls).join(cls.user).where(cls.issuer == issuer, cls.subject == subject, User.confirmed)
        return db.session.scalar(query.options(contains_eager(cls.user)))

    @classmethod
    def unlink_unconfirmed(cls, issuer: str, subject: str) -> None:
        """Free an identity from an account that nobody has confirmed. The caller commits."""
        unconfirmed = select(User.id).where(User.confirmed.is_(False))
        mine = (cls.issuer == issuer, cls.subject == subject, cls.user_id.in_(unconfirmed))
        db.session.execute(delete(cls).where(*mine), execution_options=PLAIN)

    @classmethod
    def unlink_all(cls, user: User) -> None:
        """Delete every identity of the user. The caller commits."""
        db.session.execute(delete(cls).where(cls.user_id == user.id), execution_options=PLAIN)
