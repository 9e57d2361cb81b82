"""Second factors that an administrator is going to remove, for a user who lost them and all recovery codes."""

from collections.abc import Sequence
from datetime import datetime

from flask import current_app
from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.auth import tokens
from app.kit.db.database import PLAIN, UTCDateTime, utc_now
from app.models.user import User

LINK = "keep_second_factors"


class FactorRemoval(Model):
    """A removal that waits for FACTOR_REMOVAL_DELAY, during which its user can stop it by a mailed link.

    Otherwise whoever talks an administrator into it, or gets hold of one's browser, would be in at once.
    """

    __tablename__ = "factor_removals"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    requested_by: Mapped[User] = relationship(foreign_keys=[requested_by_id])

    @classmethod
    def of(cls, user: User) -> "FactorRemoval | None":
        """Return the removal that waits for this user, or None."""
        return db.session.scalar(select(cls).where(cls.user_id == user.id))

    @classmethod
    def due(cls) -> Sequence["FactorRemoval"]:
        """Return those whose time has come."""
        return db.session.scalars(select(cls).where(cls.due_at <= utc_now()).order_by(cls.id)).all()

    @property
    def token(self) -> str:
        """The token of the link that stops it."""
        return tokens.sign(LINK, self.user.uid, (self.id,), current_app.config["FACTOR_REMOVAL_DELAY"])

    @classmethod
    def with_token(cls, token: str) -> "FactorRemoval | None":
        """Return the removal that a valid token stops, or None."""
        claims = tokens.read(LINK, token)
        user = User.with_uid(claims.uid) if claims else None
        removal = cls.of(user) if user else None
        return removal if claims and removal and tokens.matches(claims, (removal.id,)) else None

    def take(self) -> bool:
        """Delete the row. Return False if another request or job did so first. The caller commits."""
        taking = delete(FactorRemoval).where(FactorRemoval.id == self.id).returning(FactorRemoval.id)
        return db.session.scalar(taking, execution_options=PLAIN) is not None
