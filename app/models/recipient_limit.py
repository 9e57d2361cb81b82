"""The rate limit of emails that anybody can cause, per recipient (RECIPIENT_… in config.py)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import JSON, String, update
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.auth.email_address import EMAIL_MAX_LENGTH
from app.kit.db.clock import database_now
from app.kit.db.database import UTCDateTime, dialect_insert

HOUR_SECONDS = 3600


class RecipientLimit(Model):
    """The times of the last emails to an address, oldest first.

    Addresses without an account have rows too, so a scheduled job deletes a row after an hour without an email.
    """

    __tablename__ = "recipient_limits"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH), unique=True)
    # Unix times in seconds. A counter that is reset every hour would allow ten emails within a few minutes
    # around the reset.
    slots: Mapped[list[float]] = mapped_column(JSON, default=list)
    last_slot_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)

    @classmethod
    def hold(cls, address: str) -> "HeldLimit":
        """Insert the row of the address if it is missing, and lock it until the transaction ends.

        Simultaneous requests wait here for each other, and each sees what the one before it wrote.
        """
        inserting = dialect_insert(db.session(), cls).values(address=address.lower(), slots=[])
        locking = inserting.on_conflict_do_update(
            index_elements=[cls.address], set_={"address": inserting.excluded.address}
        ).returning(cls.id, cls.slots, database_now())
        limit_id, slots, now = db.session.execute(locking).one()
        return HeldLimit(limit_id, slots, now.timestamp())


@dataclass(frozen=True)
class HeldLimit:
    """A row locked until our transaction ends, as read at ``now`` (Unix time in seconds)."""

    limit_id: int
    slots: list[float]
    now: float

    def take_slot(self) -> datetime | None:
        """Count one more email and return the time from which it may be sent, or None if the limit is reached."""
        interval_seconds = current_app.config["RECIPIENT_EMAIL_INTERVAL"].total_seconds()
        most = current_app.config["RECIPIENT_EMAILS_PER_HOUR"]
        slot = max([self.now, *(taken + interval_seconds for taken in self.slots[-1:])])
        if len(self.slots) >= most and slot < self.slots[-most] + HOUR_SECONDS:
            return None
        moment = datetime.fromtimestamp(slot, UTC)
        slots = [*self.slots, slot][-most:]
        counting = update(RecipientLimit).where(RecipientLimit.id == self.limit_id)
        db.session.execute(counting.values(slots=slots, last_slot_at=moment))
        return moment
