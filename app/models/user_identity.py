"""Who somebody is: the address, whether it is confirmed, and the password."""

from secrets import token_urlsafe
from typing import Self

from sqlalchemy import String, false, func, select
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.auth.email_address import EMAIL_MAX_LENGTH


class UserIdentity(Model):
    """The columns of ``User`` that its mailed links prove and change."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    # What links and logs say instead of the id: it cannot be guessed or counted.
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=lambda: token_urlsafe(16))
    confirmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    email: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH), active_history=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    # Changes with the address; with it the links of notices know it again (user_recovery.py).
    address_key: Mapped[str] = mapped_column(String(32), default="", server_default="")

    @classmethod
    def with_email(cls, email: str) -> Self | None:
        """Return the user with this address, whatever its case."""
        return db.session.scalar(select(cls).where(func.lower(cls.email) == email.strip().lower()))

    @classmethod
    def with_uid(cls, uid: str) -> Self | None:
        """Return the user whom a link or log calls ``uid``."""
        return db.session.scalar(select(cls).where(cls.uid == uid))

    @property
    def is_invited(self) -> bool:
        """Whether the user was invited and has not joined yet."""
        return self.password_hash is None
