"""Flows: what was begun in a browser and is not finished, such as half a login, a challenge or a mailed code.

A row of a few minutes, used once. A signed cookie in its place could be copied, used twice, and could not count tries.
"""

import hashlib
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import JSON, ColumnElement, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import UTCDateTime, utc_now
from app.models.user import User

TOKEN_BYTES = 16
PLAIN = {"synchronize_session": False}


class Flow(Model):
    """A flow of one ``purpose``, bound to the browser in which it began."""

    __tablename__ = "flows"

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32))
    # Only digests are stored, so that a copy of the database continues nothing.
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    browser_hash: Mapped[str] = mapped_column(String(64), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    user: Mapped[User | None] = relationship()

    @classmethod
    def begin(
        cls, purpose: str, lifetime: timedelta, browser: str, user: User | None, data: dict[str, Any]
    ) -> tuple["Flow", str]:
        """Add a flow, and return the row and its token."""
        token = token_urlsafe(TOKEN_BYTES)
        row = cls(
            purpose=purpose,
            token_hash=digest(token),
            browser_hash=digest(browser),
            user=user,
            data=data,
            expires_at=utc_now() + lifetime,
        )
        db.session.add(row)
        return row, token

    @classmethod
    def newest(cls, purpose: str, browser: str) -> "Flow | None":
        """Return the living flow that began last in this browser, or None."""
        own = (cls.purpose == purpose, cls.browser_hash == digest(browser), ~cls.is_over())
        return db.session.scalar(select(cls).where(*own).order_by(cls.id.desc()).limit(1))

    @classmethod
    def with_token(cls, purpose: str, token: str) -> "Flow | None":
        """Return the living flow with this token, or None. The caller checks the browser."""
        own = (cls.purpose == purpose, cls.token_hash == digest(token), ~cls.is_over())
        return db.session.scalar(select(cls).where(*own))

    @classmethod
    def living(cls, purpose: str, user: User) -> list["Flow"]:
        """Return every living flow of the user, in whichever browser it began."""
        own = (cls.purpose == purpose, cls.user_id == user.id, ~cls.is_over())
        return list(db.session.scalars(select(cls).where(*own)))

    @classmethod
    def end_all(cls, user: User) -> None:
        """Delete every flow of the user."""
        db.session.execute(delete(cls).where(cls.user_id == user.id), execution_options=PLAIN)

    @classmethod
    def is_over(cls) -> ColumnElement[bool]:
        """Return the condition of flows that have expired."""
        return cls.expires_at <= utc_now()

    def began_in(self, browser: str) -> bool:
        """Return whether the flow began in this browser."""
        return self.browser_hash == digest(browser)

    def count_try(self, most: int) -> bool:
        """Count a try. Return False if ``most`` were counted before. The caller commits.

        One statement decides, so that of many tries at once no more than ``most`` are checked.
        """
        row = Flow.id == self.id
        counting = update(Flow).where(row, Flow.tries < most).values(tries=Flow.tries + 1).returning(Flow.id)
        return db.session.scalar(counting, execution_options=PLAIN) is not None

    def take(self) -> bool:
        """Delete the row. Return False if another request did so first: only one finishes it. The caller commits."""
        taking = delete(Flow).where(Flow.id == self.id, ~Flow.is_over()).returning(Flow.id)
        return db.session.scalar(taking, execution_options=PLAIN) is not None


def digest(token: str) -> str:
    """Return what is stored in place of a random token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
