"""Flows: what was begun in a browser and is not finished, such as half a login, a challenge or a mailed code.

A row of a few minutes, used once. A signed cookie in its place could be copied, used twice, and could not count tries.
"""

import hashlib
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from flask import current_app, session
from sqlalchemy import JSON, ColumnElement, ForeignKey, String, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import PLAIN, UTCDateTime, utc_now
from app.models.user import User

# Add one when a release changes what any flow holds: what was begun before it is over then, and users begin again.
SHAPE = 1
TOKEN_BYTES = 16
# The random key in the session's cookie that binds flows to the browser.
_BROWSER = "browser"


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
    def begin(cls, purpose: str, user: User | None = None, **data: Any) -> str:
        """Begin a flow in this browser, and return its token. FLOW_LIFETIMES says how long it lives.

        The caller commits.
        """
        token = token_urlsafe(TOKEN_BYTES)
        row = cls(
            purpose=purpose,
            token_hash=digest(token),
            browser_hash=digest(session.setdefault(_BROWSER, token_urlsafe())),
            user=user,
            data={"shape": SHAPE, "access_version": user.access_version if user else 0, **data},
            expires_at=utc_now() + current_app.config["FLOW_LIFETIMES"][purpose],
        )
        db.session.add(row)
        return token

    @classmethod
    def newest(cls, purpose: str, *conditions: ColumnElement[bool]) -> "Flow | None":
        """Return the living flow that began last in this browser, of those that meet the conditions, or None."""
        if _BROWSER not in session:
            return None
        own = (cls.purpose == purpose, cls.browser_hash == digest(session[_BROWSER]), ~cls.is_over())
        return db.session.scalar(select(cls).where(*own, *conditions).order_by(cls.id.desc()).limit(1))

    @classmethod
    def with_token(cls, purpose: str, token: str) -> "Flow | None":
        """Return the living flow with this token if it began in this browser, or None."""
        return cls.newest(purpose, cls.token_hash == digest(token))

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
        """Return the condition of flows that have expired, or hold what an older release put there."""
        return (cls.expires_at <= utc_now()) | (func.coalesce(cls.data["shape"].as_integer(), 0) != SHAPE)

    def is_of(self, user: User) -> bool:
        """Return whether ``user`` began it, with the same password, address, role and state as now."""
        return self.user_id == user.id and self.data["access_version"] == user.access_version

    def count_try(self, most: int) -> bool:
        """Count a try. Return False if ``most`` were counted before. The caller commits.

        One statement decides, so that of many tries at once no more than ``most`` are checked.
        """
        row = Flow.id == self.id
        counting = update(Flow).where(row, Flow.tries < most).values(tries=Flow.tries + 1).returning(Flow.id)
        return db.session.scalar(counting, execution_options=PLAIN) is not None

    def take(self) -> bool:
        """Delete the row. Return False if another request did so first: only one finishes it. The caller commits.

        What was read of it stays readable, also after the commit.
        """
        taking = delete(Flow).where(Flow.id == self.id, ~Flow.is_over()).returning(Flow.id)
        if db.session.scalar(taking, execution_options=PLAIN) is None:
            return False
        db.session.expunge(self)
        return True


def digest(token: str) -> str:
    """Return what is stored in place of a random token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
