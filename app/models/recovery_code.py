"""Recovery codes: each replaces a second factor that is lost, once. RECOVERY_CODES in config.py says how many."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.db.database import PLAIN, UTCDateTime, utc_now
from app.models.authenticator_app import AuthenticatorApp
from app.models.passkey import Passkey
from app.models.user import User


class RecoveryCode(Model):
    """A recovery code. Used ones stay, with their time."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # A plain digest is enough for 120 random bits, and an index finds it.
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @classmethod
    def of(cls, user: User) -> list["RecoveryCode"]:
        """Return the user's codes, used ones too."""
        return list(db.session.scalars(select(cls).where(cls.user_id == user.id).order_by(cls.id)))

    @classmethod
    def delete_lone(cls, user: User) -> None:
        """Delete the user's codes if there is no passkey and no app any more: alone they guard nothing.

        Passkeys that PASSKEYS has switched off count: without codes, nobody would be asked for them afterwards.
        """
        if not Passkey.of(user) and AuthenticatorApp.of(user) is None:
            db.session.execute(delete(cls).where(cls.user_id == user.id), execution_options=PLAIN)

    @classmethod
    def left(cls, user: User) -> int:
        """Return how many codes the user has not used."""
        unused = select(func.count()).select_from(cls).where(cls.user_id == user.id, cls.used_at.is_(None))
        return db.session.scalar(unused) or 0
