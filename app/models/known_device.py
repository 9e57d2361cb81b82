"""The browsers that a user has logged in with. A login from a new one causes an email (sign_in.py)."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime, utc_now


class KnownDevice(Model):
    """A browser and system in words ("Firefox on Linux") that a user has logged in with."""

    __tablename__ = "known_devices"
    __table_args__ = (UniqueConstraint("user_id", "label"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
