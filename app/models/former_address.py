"""Former addresses of accounts. Whoever reads their mail can restore the account for a time."""

from datetime import datetime, timedelta
from secrets import token_urlsafe

from flask import current_app
from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Connection,
    ForeignKey,
    String,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.auth.email_address import EMAIL_MAX_LENGTH
from app.kit.db.database import UTCDateTime, changed_rows, utc_now


class FormerAddress(Model):
    """An address that a user no longer has. The lower ``id`` is the older address, and takes precedence.

    ``until`` is None while the user has the address again: the row stays, so the address keeps its age.
    """

    __tablename__ = "former_addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH))
    # The user's ``address_key`` at that address. The links of notices carry it.
    address_key: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)

    @classmethod
    def of(cls, user_id: int) -> list["FormerAddress"]:
        """Return the addresses that the user gave up within the last 30 days, oldest first."""
        query = select(cls).where(cls.user_id == user_id, cls.until > utc_now() - _kept_for()).order_by(cls.id)
        return list(db.session.scalars(query))

    @classmethod
    def forget_since(cls, user_id: int, email: str) -> None:
        """Delete the row of this address, if there is one, and those of the user's later addresses."""
        row_id = db.session.scalar(select(cls.id).where(cls.user_id == user_id, same_address(cls.email, email)))
        if row_id is not None:
            db.session.execute(delete(cls).where(cls.user_id == user_id, cls.id >= row_id))

    @classmethod
    def is_over(cls) -> ColumnElement[bool]:
        """Return the condition of rows that are too old to restore an account."""
        return cls.until < utc_now() - _kept_for()

    @property
    def time_left(self) -> timedelta:
        """For how long the address can still restore the account."""
        return timedelta(0) if self.until is None else self.until + _kept_for() - utc_now()


def new_address_key() -> str:
    """Return a new random key for an address."""
    return token_urlsafe(9)


def note_move(connection: Connection, user_id: int, old_email: str, new_email: str, address_key: str) -> str:
    """Store ``old_email`` with its key, during the flush that changes it, and return the key of ``new_email``."""
    table = FormerAddress.__table__
    own = table.c.user_id == user_id
    connection.execute(delete(table).where(own, FormerAddress.is_over()))
    left = update(table).where(own, same_address(table.c.email, old_email)).values(until=utc_now())
    if not changed_rows(connection.execute(left)):
        values = {"user_id": user_id, "email": old_email, "address_key": address_key, "until": utc_now()}
        connection.execute(insert(table).values(values))
    back = update(table).where(own, same_address(table.c.email, new_email)).values(until=None)
    known_key: str | None = connection.execute(back.returning(table.c.address_key)).scalar()
    return new_address_key() if known_key is None else known_key


def same_address(column: ColumnExpressionArgument[str], email: str | None) -> ColumnElement[bool]:
    """Return the condition that ``column`` equals this address, ignoring case."""
    return func.lower(column) == (email or "").lower()


def same_spelling(one: str | None, other: str | None) -> bool:
    """Return whether two addresses are equal, ignoring case."""
    return (one or "").lower() == (other or "").lower()


def _kept_for() -> timedelta:
    return current_app.config["FORMER_ADDRESS_LIFETIME"]
