"""Login sessions, one row each. Deleting the row logs the browser out, whatever cookies it has."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from secrets import token_urlsafe

from flask import current_app
from sqlalchemy import ColumnElement, ForeignKey, Select, String, bindparam, delete, false, func, select
from sqlalchemy.orm import Mapped, contains_eager, mapped_column, relationship

from app.extensions import Model, db
from app.kit.auth.user_agent import browser_label
from app.kit.db.database import UTCDateTime, lock_unchanged, utc_now
from app.models.flow import Flow, digest
from app.models.user import User

TOKEN_BYTES = 32
LAST_SEEN_PRECISION = timedelta(minutes=1)


class UserSession(Model):
    """A browser in which a user is logged in."""

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # Only the digest is stored, so that a copy of the database lets nobody log in.
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)
    reauthenticated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    ip_address: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    remembered: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The ways (models/ways_in.py) by which the user proved who they are, separated by commas.
    ways: Mapped[str] = mapped_column(String(64), default="password", server_default="password")
    # Whether they are two factors: two ways, or a passkey that checked who holds it.
    has_two_factors: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Of an administrator who looks at the site as this user. It lives no longer than the administrator's own session.
    impersonator_session_id: Mapped[int | None] = mapped_column(
        ForeignKey("user_sessions.id", ondelete="CASCADE"), index=True
    )

    user: Mapped[User] = relationship()

    @classmethod
    def start(cls, user: User, remembered: bool, ip_address: str, user_agent: str) -> tuple["UserSession", str]:
        """Add a session for ``user``, and return the row and the token for the cookie.

        Raises ``StaleDataError`` if the user's password, address, role or state changed since the user was read:
        the verified password may be an old one.
        """
        lock_unchanged(db.session, user)
        token = token_urlsafe(TOKEN_BYTES)
        row = cls(
            user=user,
            token_hash=digest(token),
            remembered=remembered,
            ip_address=ip_address[:45],
            user_agent=user_agent[:255],
        )
        db.session.add(row)
        return row, token

    def impersonate(self, user: User) -> tuple["UserSession", str]:
        """Add a session in which the owner of this one looks at the site as ``user``; return it and its token."""
        row, token = UserSession.start(user, False, ip_address="", user_agent="")
        row.impersonator_session_id = self.id
        return row, token

    @classmethod
    def with_token(cls, token: str) -> "UserSession | None":
        """Return the unexpired session of ``token``, or None. One query loads it with its user and role."""
        row = db.session.scalar(_living_with_token(), {"token_hash": digest(token)})
        return row if row and not row.is_expired else None

    @classmethod
    def living(cls, user: User) -> list["UserSession"]:
        """Return the user's unexpired sessions, the most recently seen first."""
        rows = db.session.scalars(select(cls).where(cls.user_id == user.id).order_by(cls.last_seen_at.desc()))
        return [row for row in rows if not row.is_expired]

    @classmethod
    def last_seen_by_user(cls, user_ids: Collection[int]) -> dict[int, datetime]:
        """Return when each of these users was seen last, in one query; without the users who have no session."""
        return dict(db.session.execute(_last_seen(), {"user_ids": user_ids}).all())

    @classmethod
    def end_all(cls, user: User, except_id: int | None = None) -> None:
        """Delete the user's sessions, except the one with the id ``except_id``, and logins that were only begun.

        A simultaneous login happens either before, and is ended too, or after, and sees the user's new data.
        """
        lock_unchanged(db.session, user)
        condition = [cls.user_id == user.id]
        if except_id is not None:
            condition.append(cls.id != except_id)
        db.session.execute(delete(cls).where(*condition))
        Flow.end_all(user)

    @classmethod
    def is_over(cls) -> ColumnElement[bool]:
        """Return the condition of sessions that have expired."""
        now, settings = utc_now(), current_app.config
        idle = cls.last_seen_at < now - settings["SESSION_IDLE_LIFETIME"]
        old = cls.created_at < now - settings["REMEMBERED_SESSION_LIFETIME"]
        short = cls.remembered.is_(False) & (cls.created_at < now - settings["BROWSER_SESSION_LIFETIME"])
        seen = cls.impersonator_session_id.is_not(None) & (cls.created_at < now - settings["IMPERSONATION_LIFETIME"])
        return idle | old | short | seen

    @property
    def is_expired(self) -> bool:
        """Whether the session is too old, or was idle for too long."""
        now, settings = utc_now(), current_app.config
        limit = settings["REMEMBERED_SESSION_LIFETIME" if self.remembered else "BROWSER_SESSION_LIFETIME"]
        if self.impersonator_session_id is not None:
            limit = settings["IMPERSONATION_LIFETIME"]
        return now - self.created_at > limit or now - self.last_seen_at > settings["SESSION_IDLE_LIFETIME"]

    @property
    def is_recent_login(self) -> bool:
        """Whether the user proved who they are within SUDO_LIFETIME."""
        return utc_now() - self.reauthenticated_at <= current_app.config["SUDO_LIFETIME"]

    @property
    def browser(self) -> str:
        """The browser and system in words, like "Firefox on Linux"; or that it is an administrator's."""
        if self.impersonator_session_id is not None:
            return "An administrator, looking at the site as this user"
        return browser_label(self.user_agent)

    def add_way(self, way: str, has_two_factors: bool) -> None:
        """Note that the user proved who they are in one more way; ``has_two_factors`` if two factors are proven now."""
        self.ways = ",".join(dict.fromkeys([*self.ways.split(","), way]))
        self.has_two_factors = self.has_two_factors or has_two_factors

    def is_due_for_last_seen(self) -> bool:
        """Return whether ``last_seen_at`` was written at least a minute ago."""
        return utc_now() - self.last_seen_at >= LAST_SEEN_PRECISION

    def end(self) -> None:
        """Delete this session, if it still exists. The caller commits."""
        db.session.execute(delete(UserSession).where(UserSession.id == self.id))


@cache
def _living_with_token() -> Select[UserSession]:
    # Built once, because every request with a session runs it.
    return (
        select(UserSession)
        .join(UserSession.user)
        .where(UserSession.token_hash == bindparam("token_hash"), User.disabled_at.is_(None))
        .options(contains_eager(UserSession.user).joinedload(User.role))
    )


@cache
def _last_seen() -> Select[int, datetime]:
    owned = UserSession.user_id.in_(bindparam("user_ids", expanding=True))
    return select(UserSession.user_id, func.max(UserSession.last_seen_at)).where(owned).group_by(UserSession.user_id)
