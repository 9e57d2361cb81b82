"""The outbox: every e-mail that is to leave, left, or could not."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import JSON, ForeignKey, Index, String, Text, literal_column, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import db
from app.kit.database import UTCDateTime, utc_now
from app.kit.database_clock import database_now
from app.models.user import User

ERROR_LENGTH = 500


class EmailState(StrEnum):
    """What has become of an e-mail."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    CANCELED = "canceled"


# Written out, not bound: a database uses a partial index only for a condition it can read.
_UNFINISHED = "state IN ('pending', 'sending')"


class Email(db.Model):
    """One e-mail to one address: who and which template, never a token, a link or a rendered body.

    ``due_at`` is the moment from which a worker may take the row: when it was written, after a
    back-off, or when the lease of the worker that took it runs out.
    """

    __tablename__ = "emails"
    __table_args__ = (
        Index(
            "ix_emails_unfinished",
            "priority",
            "due_at",
            "id",
            sqlite_where=literal_column(_UNFINISHED),
            postgresql_where=literal_column(_UNFINISHED),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(String(254), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    kind: Mapped[str] = mapped_column(String(64), default="")
    subject: Mapped[str] = mapped_column(String(255))
    template: Mapped[str] = mapped_column(String(255))
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    priority: Mapped[int] = mapped_column(default=20)
    state: Mapped[str] = mapped_column(String(16), default=EmailState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str] = mapped_column(Text, default="")
    request_id: Mapped[str | None] = mapped_column(String(64))

    user: Mapped[User | None] = relationship()

    def load_user(self) -> User | None:
        """Answer whom the e-mail is about, as the database knows them now; works on a detached row."""
        return db.session.get(User, self.user_id) if self.user_id is not None else None

    @classmethod
    def claim(cls, lease_seconds: float, email_id: int | None = None) -> Self | None:
        """Take the most urgent due row, or the row ``email_id`` if it is due, for ``lease_seconds``.

        However many workers ask at once, one gets it: the others skip it (PostgreSQL) or wait
        for the write to end and find it taken (SQLite). The caller commits.
        """
        due = select(cls.id).where(literal_column(_UNFINISHED), cls.due_at <= database_now())
        if email_id is not None:
            due = due.where(cls.id == email_id)
        due = due.order_by(cls.priority, cls.due_at, cls.id).limit(1).with_for_update(skip_locked=True)
        taking = (
            update(cls)
            .where(cls.id == due.scalar_subquery(), literal_column(_UNFINISHED))
            .values(state=EmailState.SENDING, attempts=cls.attempts + 1, due_at=database_now(lease_seconds))
            .returning(cls)
            .execution_options(synchronize_session=False)
        )
        return db.session.scalars(taking).one_or_none()

    def settle(self, state: EmailState, *, error: str = "", wait_seconds: float = 0) -> bool:
        """Write down how sending went, unless the lease has meanwhile passed to someone else.

        Answers whether it was still ours. The caller commits.
        """
        cls = type(self)
        ours = (cls.id == self.id, cls.state == EmailState.SENDING, cls.due_at == self.due_at)
        settling = (
            update(cls)
            .where(*ours)
            .values(
                state=state,
                last_error=error[:ERROR_LENGTH],
                due_at=database_now(wait_seconds),
                sent_at=database_now() if state == EmailState.SENT else None,
            )
            .execution_options(synchronize_session=False)
        )
        return db.session.execute(settling).rowcount == 1

    @classmethod
    def retry(cls, email_id: int) -> bool:
        """Send a dead, canceled or waiting e-mail as soon as possible, with all its tries anew."""
        states = (EmailState.DEAD, EmailState.CANCELED, EmailState.PENDING)
        return cls._change(email_id, states, state=EmailState.PENDING, attempts=0, due_at=database_now())

    @classmethod
    def cancel(cls, email_id: int) -> bool:
        """Never send a waiting e-mail; one that is being sent at this moment cannot be called back."""
        return cls._change(email_id, (EmailState.PENDING,), state=EmailState.CANCELED)

    @classmethod
    def _change(cls, email_id: int, states: tuple[EmailState, ...], **values: Any) -> bool:
        changing = update(cls).where(cls.id == email_id, cls.state.in_(states)).values(**values)
        return db.session.execute(changing).rowcount == 1

    @classmethod
    def oldest_unsent_at(cls) -> datetime | None:
        """Answer since when the e-mail that waits longest has been waiting."""
        waiting = select(cls.created_at).where(literal_column(_UNFINISHED)).order_by(cls.created_at)
        return db.session.scalar(waiting.limit(1))
