"""The texts that administrators write: parts of pages, and whole pages of their own."""

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import String, Text, false, select
from sqlalchemy.orm import Mapped, defer, mapped_column

from app.extensions import Model, db

TITLE_MAX_LENGTH = 100


class EditableHTML(Model):
    """One editable text, found by its name: Markdown, or HTML from an older editor.

    With a title it is a page at ``/pages/<editor_name>``; without one it is shown by a template, such as ``about``.
    """

    __tablename__ = "editable_html"

    id: Mapped[int] = mapped_column(primary_key=True)
    editor_name: Mapped[str] = mapped_column(String(100), unique=True)
    value: Mapped[str] = mapped_column(Text, default="", server_default="")
    title: Mapped[str] = mapped_column(String(TITLE_MAX_LENGTH), default="", server_default="")
    # Until then, administrators alone see it.
    published: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Linked from the page "About".
    listed: Mapped[bool] = mapped_column(default=False, server_default=false())

    @property
    def fingerprint(self) -> str:
        """A digest of the text. The editor sends it back, so that nobody overwrites a text without having seen it."""
        return sha256((self.value or "").encode()).hexdigest()

    @staticmethod
    def get_editable_html(editor_name: str) -> "EditableHTML":
        """Return the text called ``editor_name``, or a new empty one that is not in the session yet."""
        found = db.session.scalar(select(EditableHTML).where(EditableHTML.editor_name == editor_name))
        return found or EditableHTML(editor_name=editor_name, value="")

    @classmethod
    def page(cls, slug: str) -> "EditableHTML | None":
        """Return the page at ``/pages/<slug>``, also a draft, or None."""
        return db.session.scalar(select(cls).where(cls.editor_name == slug, cls.title != ""))

    @classmethod
    def published_pages(cls) -> Sequence["EditableHTML"]:
        """Return the published pages without their texts, by title."""
        pages = select(cls).where(cls.title != "", cls.published).order_by(cls.title, cls.id)
        return db.session.scalars(pages.options(defer(cls.value))).all()
