"""Challenges of a proof of work whose solution was used (proof_of_work.py)."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.kit.db.database import UTCDateTime


class SpentProof(Model):
    """A challenge that no form accepts again. A scheduled job deletes the row once the challenge is too old anyway."""

    __tablename__ = "spent_proofs"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
