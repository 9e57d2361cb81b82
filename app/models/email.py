"""The outbox: emails that wait, are being sent, were sent or failed."""

from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Delete,
    Float,
    ForeignKey,
    Index,
    Row,
    String,
    Text,
    Update,
    bindparam,
    delete,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.dml import ReturningUpdate

from app.extensions import Model, db
from app.kit.auth.email_address import EMAIL_MAX_LENGTH
from app.kit.db.clock import database_now
from app.kit.db.database import PLAIN, UTCDateTime, changed_rows, utc_now
from app.kit.mail.rows import ClaimedEmail, Context, EmailState
from app.models.user import User

ERROR_LENGTH = 500


# Literals, not bound parameters: a database uses a partial index only if it can see the values.
_UNFINISHED = f"state IN ('{EmailState.PENDING}', '{EmailState.SENDING}')"
_FINISHED = (EmailState.SENT, EmailState.CANCELED)


class Email(Model):
    """One email to one address: the recipient and the template, never a token, a link or a rendered body.

    ``due_at`` is the time from which a worker may claim the row: its creation, the end of a back-off, or
    the end of another worker's lease.
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
        # For the list, newest first.
        Index("ix_emails_created", "created_at", "id"),
        Index("ix_emails_state_created", "state", "created_at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    kind: Mapped[str] = mapped_column(String(64), default="")
    subject: Mapped[str] = mapped_column(String(255))
    template: Mapped[str] = mapped_column(String(255))
    context: Mapped[Context] = mapped_column(JSON, default=dict)
    priority: Mapped[int] = mapped_column(default=20)
    state: Mapped[str] = mapped_column(String(16), default=EmailState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str] = mapped_column(Text, default="")
    request_id: Mapped[str | None] = mapped_column(String(64))

    user: Mapped[User | None] = relationship()

    @classmethod
    def claim(cls, lease_seconds: float, email_id: int | None = None) -> ClaimedEmail | None:
        """Lease the most urgent due row, or the row ``email_id`` if it is due, for ``lease_seconds``.

        Only one of several workers gets a row. The others skip it (PostgreSQL), or wait for the write to end
        and find it leased (SQLite). Returns None if nothing is due. The caller commits.
        """
        parameters = {"lease_seconds": float(lease_seconds), "one_id": email_id}
        row = db.session.connection().execute(_claiming(email_id is not None), parameters).one_or_none()
        return None if row is None else ClaimedEmail(*row)

    @classmethod
    def record_outcome(
        cls, claimed: ClaimedEmail, state: EmailState, *, error: str = "", wait_seconds: float = 0
    ) -> bool:
        """Store the result of sending, unless another worker has the lease by now.

        An email of the catalog without a user is deleted once it is sent or canceled: its user was deleted, or
        somebody typed an address without an account. Returns whether the lease was still ours. The caller commits.
        """
        if state in _FINISHED and claimed.kind and claimed.user_id is None:
            ours = {"one_id": claimed.id, "lease_end": claimed.due_at}
            return db.session.connection().execute(_forgetting(), ours).rowcount == 1
        parameters = {
            "one_id": claimed.id,
            "lease_end": claimed.due_at,
            "new_state": state,
            "error": error[:ERROR_LENGTH],
            "wait_seconds": float(wait_seconds),
        }
        return db.session.connection().execute(_recording(state == EmailState.SENT), parameters).rowcount == 1

    @classmethod
    def hold_waiting(cls, kind: str, recipient: str, user_id: int | None) -> Row[int, int] | None:
        """Lock the newest pending email like this, and return its id and its attempts, or None.

        No worker can claim it before the transaction ends, so it is composed from what the caller writes.
        """
        alike = (cls.kind == kind, cls.recipient == recipient, cls.user_id == user_id)
        waiting = select(cls.id).where(*alike, cls.state == EmailState.PENDING).order_by(cls.id.desc()).limit(1)
        locking = update(cls).where(cls.id == waiting.scalar_subquery(), cls.state == EmailState.PENDING)
        return db.session.execute(locking.values(id=cls.id).returning(cls.id, cls.attempts), PLAIN).one_or_none()

    @classmethod
    def start_anew(cls, email_id: int, due_at: datetime) -> None:
        """Send a pending email at ``due_at``, with its attempts reset."""
        cls._change(email_id, (EmailState.PENDING,), attempts=0, due_at=due_at)

    @classmethod
    def about_nobody(cls) -> ColumnElement[bool]:
        """Return the condition of emails of the catalog that have no user, or whose user was deleted."""
        return cls.user_id.is_(None) & (cls.kind != "")

    @classmethod
    def load_user(cls, row: ClaimedEmail) -> User | None:
        """Return the user of an email, or None."""
        return db.session.get(User, row.user_id) if row.user_id is not None else None

    @classmethod
    def retry(cls, email_id: int) -> bool:
        """Make a dead, canceled or pending email due now, with its attempts reset. Return whether it was one."""
        states = (EmailState.DEAD, EmailState.CANCELED, EmailState.PENDING)
        return cls._change(email_id, states, state=EmailState.PENDING, attempts=0, due_at=database_now())

    @classmethod
    def cancel(cls, email_id: int) -> bool:
        """Cancel a pending email. Return False if it is being sent or no longer pending."""
        return cls._change(email_id, (EmailState.PENDING,), state=EmailState.CANCELED)

    @classmethod
    def _change(cls, email_id: int, states: tuple[EmailState, ...], **values: object) -> bool:
        changing = update(cls).where(cls.id == email_id, cls.state.in_(states)).values(**values)
        return changed_rows(db.session.execute(changing)) == 1

    @classmethod
    def oldest_unsent_at(cls) -> datetime | None:
        """Return when the oldest unsent email was created, or None if there is none."""
        waiting = select(cls.created_at).where(literal_column(_UNFINISHED)).order_by(cls.created_at)
        return db.session.scalar(waiting.limit(1))


# The two statements that run for each email are built once and bypass the ORM: together they take a
# fifth of the time.
@cache
def _claiming(one: bool) -> ReturningUpdate[Any]:
    emails = Email.__table__.c
    columns = [emails[field.name] for field in fields(ClaimedEmail)]
    due = select(emails.id).where(literal_column(_UNFINISHED), emails.due_at <= database_now())
    if one:
        due = due.where(emails.id == bindparam("one_id"))
    due = due.order_by(emails.priority, emails.due_at, emails.id).limit(1).with_for_update(skip_locked=True)
    lease_end = database_now(bindparam("lease_seconds", type_=Float))
    return (
        update(Email.__table__)
        .where(emails.id == due.scalar_subquery(), literal_column(_UNFINISHED))
        .values(state=EmailState.SENDING.value, attempts=emails.attempts + 1, due_at=lease_end)
        .returning(*columns)
    )


@cache
def _recording(sent: bool) -> Update:
    return (
        update(Email.__table__)
        .where(*_ours())
        .values(
            state=bindparam("new_state"),
            last_error=bindparam("error"),
            due_at=database_now(bindparam("wait_seconds", type_=Float)),
            sent_at=database_now() if sent else None,
        )
    )


@cache
def _forgetting() -> Delete:
    return delete(Email.__table__).where(*_ours())


def _ours() -> tuple[ColumnElement[bool], ...]:
    emails = Email.__table__.c
    # The end of the lease identifies it: a worker that claimed the row later has a later end.
    return (
        emails.id == bindparam("one_id"),
        emails.state == EmailState.SENDING.value,
        emails.due_at == bindparam("lease_end", type_=UTCDateTime),
    )
