"""A user's identity: the address, its confirmation, and the password."""

from secrets import token_urlsafe
from typing import Self

from sqlalchemy import String, false, func, select
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.auth.email_address import EMAIL_MAX_LENGTH


class UserIdentity(Model):
    """The columns of ``User`` that its mailed links verify and change."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    # Links and logs use it instead of the id, because it cannot be guessed and reveals no number of users.
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=lambda: token_urlsafe(16))
    confirmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    email: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH), active_history=True)
    # None for who logs in by other ways.
    password_hash: Mapped[str | None] = mapped_column(String(255))
    # Until the invitation is accepted. It is no sign of this that there is no password.
    is_invited: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Changes with the address. The links of notices carry it (user_recovery.py).
    address_key: Mapped[str] = mapped_column(String(32), default="", server_default="")

    @classmethod
    def with_email(cls, email: str) -> Self | None:
        """Return the user with this address, ignoring case, or None."""
        return db.session.scalar(select(cls).where(func.lower(cls.email) == email.strip().lower()))

    @classmethod
    def with_uid(cls, uid: str) -> Self | None:
        """Return the user with this ``uid``, or None."""
        return db.session.scalar(select(cls).where(cls.uid == uid))
