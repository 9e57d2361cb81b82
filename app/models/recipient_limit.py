"""How many emails that a stranger can cause still go to an address (RECIPIENT_… in config.py)."""

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
    """The moments for which an address got its last emails, oldest first.

    It counts addresses of strangers too, who never asked for anything: a scheduled job deletes a row
    after an hour without an email.
    """

    __tablename__ = "recipient_limits"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH), unique=True)
    # Seconds since 1970. The moments themselves rather than a count: with a count that starts anew each hour,
    # ten emails could leave within a few minutes around its end.
    slots: Mapped[list[float]] = mapped_column(JSON, default=list)
    last_slot_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)

    @classmethod
    def hold(cls, address: str) -> "HeldLimit":
        """Hold the address's row, a new one if need be, until the transaction ends.

        However many requests ask at once, each waits here for the one before it and then sees what that one wrote.
        """
        inserting = dialect_insert(db.session(), cls).values(address=address.lower(), slots=[])
        holding = inserting.on_conflict_do_update(
            index_elements=[cls.address], set_={"address": inserting.excluded.address}
        ).returning(cls.id, cls.slots, database_now())
        limit_id, slots, now = db.session.execute(holding).one()
        return HeldLimit(limit_id, slots, now.timestamp())


@dataclass(frozen=True)
class HeldLimit:
    """A row that nobody else can change before our transaction ends, as read at ``now``."""

    limit_id: int
    slots: list[float]
    now: float

    def take_slot(self) -> datetime | None:
        """Return the moment from which one more email may leave, and count it; None when the hour is used up."""
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
