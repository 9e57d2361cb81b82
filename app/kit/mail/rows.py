"""What the catalog and the outbox expect of models/email.py, models/recipient_limit.py and models/user.py."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Row

from app.kit.db.database import Model

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Context = dict[str, Json]


class EmailState(StrEnum):
    """The state of an email."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    CANCELED = "canceled"


@dataclass(frozen=True)
class ClaimedEmail:
    """A row that one worker may send until ``due_at``, as it was when that worker claimed it."""

    id: int
    recipient: str
    user_id: int | None
    kind: str
    subject: str
    template: str
    context: Context
    attempts: int
    due_at: datetime
    created_at: datetime
    request_id: str | None


class Person(Protocol):
    """The user who gets an email."""

    @property
    def id(self) -> int:
        """The user's id."""

    @property
    def email(self) -> str:
        """The user's address."""


class HeldLimit(Protocol):
    """The limit of one address, locked until the transaction ends."""

    def take_slot(self) -> datetime | None:
        """Count one more email and return when it may leave; None when the limit of this hour is reached."""


class LimitRows(Protocol):
    """The model that counts emails for each recipient."""

    def hold(self, address: str) -> HeldLimit:
        """Lock the limit of ``address`` until the transaction ends, and return it."""


class EmailRows(Protocol):
    """The model of the outbox."""

    def __call__(self, *nothing: Any, **columns: Any) -> Model:
        """Return a new row."""

    def claim(self, lease_seconds: float, email_id: int | None = None) -> ClaimedEmail | None:
        """Claim the most urgent due row, or the row ``email_id`` if it is due, for ``lease_seconds``.

        Of parallel callers only one gets it. The caller commits.
        """

    def record_outcome(
        self, claimed: ClaimedEmail, state: EmailState, *, error: str = "", wait_seconds: float = 0
    ) -> bool:
        """Record the outcome and return True, or False when another worker has claimed the row since.

        A row that is still pending is due in ``wait_seconds``. The caller commits.
        """

    def load_user(self, row: ClaimedEmail) -> Person | None:
        """Return the user whom the email is about, as they are now, or None when there is none."""

    def hold_waiting(self, kind: str, recipient: str, user_id: int | None) -> Row[int, int] | None:
        """Lock an email like this that no worker has begun to send; return its ``id`` and ``attempts``, or None."""

    def start_anew(self, email_id: int, due_at: datetime) -> None:
        """Send a waiting email at ``due_at``, with all its tries anew."""
