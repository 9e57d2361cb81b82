"""What the catalog and the outbox ask of the application's models; models/email.py says what each method promises."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.kit.db.database import Model

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Context = dict[str, Json]


class EmailState(StrEnum):
    """What has become of an email."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    CANCELED = "canceled"


class EmailRow(Protocol):
    """What an email is composed from."""

    @property
    def id(self) -> int: ...
    @property
    def recipient(self) -> str: ...
    @property
    def user_id(self) -> int | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def template(self) -> str: ...
    @property
    def context(self) -> Context: ...
    @property
    def created_at(self) -> datetime: ...


@dataclass(frozen=True)
class ClaimedEmail:
    """A row that one worker may send until ``due_at``, as it was when that worker took it."""

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
    """Who gets an email."""

    @property
    def id(self) -> int: ...
    @property
    def email(self) -> str: ...


class WaitingEmail(Protocol):
    """An email that no worker has begun to send."""

    @property
    def id(self) -> int: ...
    @property
    def attempts(self) -> int: ...


class HeldLimit(Protocol):
    """What an address may still get, while nobody else counts."""

    def take_slot(self) -> datetime | None: ...


class LimitRows(Protocol):
    """The model that counts emails for each recipient."""

    def hold(self, address: str) -> HeldLimit: ...


class EmailRows(Protocol):
    """The model of the outbox."""

    def __call__(self, **columns: object) -> Model: ...

    def claim(self, lease_seconds: float, email_id: int | None = None) -> ClaimedEmail | None: ...

    def record_outcome(
        self, claimed: ClaimedEmail, state: EmailState, *, error: str = "", wait_seconds: float = 0
    ) -> bool: ...

    def load_user(self, row: EmailRow) -> Person | None: ...

    def hold_waiting(self, kind: str, recipient: str, user_id: int | None) -> WaitingEmail | None: ...

    def start_anew(self, email_id: int, due_at: datetime) -> None: ...
