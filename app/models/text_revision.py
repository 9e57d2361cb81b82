"""What editable texts said before, one row for each time that somebody saved one."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text, false, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import UTCDateTime, utc_now
from app.models.editable_html import EditableHTML
from app.models.user import User


class TextRevision(Model):
    """A text as it was saved. It stays when its author is deleted, without the name."""

    __tablename__ = "text_revisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    text_id: Mapped[int] = mapped_column(ForeignKey("editable_html.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    value: Mapped[str] = mapped_column(Text)
    # Everybody has to agree to this revision of a document, also who agreed to an earlier one (consent.py).
    asks_again: Mapped[bool] = mapped_column(default=False, server_default=false())

    text: Mapped[EditableHTML] = relationship()
    author: Mapped[User | None] = relationship()

    @classmethod
    def write(cls, text: EditableHTML, value: str, author_id: int | None, *, asks_again: bool = False) -> None:
        """Give ``text`` a new value, and keep it as a revision. The caller commits.

        What was written in another way, for example by a migration, is kept first, so that it can be restored.
        """
        db.session.add(text)
        db.session.flush()
        latest = cls.before(text)
        kept = latest.value if latest else ""
        if kept != text.value:
            db.session.add(cls(text=text, value=text.value))
        if value != text.value or asks_again:
            text.value = value
            db.session.add(cls(text=text, value=value, author_id=author_id, asks_again=asks_again))

    @classmethod
    def before(cls, text: EditableHTML, revision_id: int | None = None) -> "TextRevision | None":
        """Return the latest revision of ``text``, or the one before ``revision_id``; None if there is none."""
        older = select(cls).where(cls.text_id == text.id).order_by(cls.id.desc()).limit(1)
        return db.session.scalar(older if revision_id is None else older.where(cls.id < revision_id))
