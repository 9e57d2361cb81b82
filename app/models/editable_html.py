"""The parts of pages that administrators edit in place."""

from hashlib import sha256

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db


class EditableHTML(Model):
    """One editable text, found by its name: Markdown, or HTML from an older editor."""

    __tablename__ = "editable_html"

    id: Mapped[int] = mapped_column(primary_key=True)
    editor_name: Mapped[str] = mapped_column(String(100), unique=True)
    value: Mapped[str] = mapped_column(Text, default="", server_default="")

    @property
    def fingerprint(self) -> str:
        """A digest of the text. The editor sends it back, so that nobody overwrites a text without having seen it."""
        return sha256((self.value or "").encode()).hexdigest()

    @staticmethod
    def get_editable_html(editor_name: str) -> "EditableHTML":
        """Return the text called ``editor_name``, or a new empty one that is not in the session yet."""
        found = db.session.scalar(select(EditableHTML).where(EditableHTML.editor_name == editor_name))
        return found or EditableHTML(editor_name=editor_name, value="")
