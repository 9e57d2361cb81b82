"""The documents that users agree to, such as the terms of service, and who agreed to which revision of them.

A document is a page that administrators write (CONSENT_DOCUMENTS in config.py). It counts once it is published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, request
from sqlalchemy import ColumnElement, ForeignKey, Integer, String, func, insert, literal, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import UTCDateTime, utc_now
from app.models.editable_html import EditableHTML
from app.models.text_revision import TextRevision
from app.models.user import User

# How the text begins with which setup.py makes a document.
SAMPLE = "**Sample text:"


@dataclass(frozen=True)
class Document:
    """A document as it reads now."""

    name: str
    title: str
    digest: str
    revision_id: int | None


class Consent(Model):
    """A user agreed to a document. The digest says to which text, also where no revision of it was kept."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    document: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64))
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("text_revisions.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    ip_address: Mapped[str] = mapped_column(String(45))
    # "sign-up", "invitation" or "asked again".
    how: Mapped[str] = mapped_column(String(16))

    revision: Mapped[TextRevision | None] = relationship()

    @classmethod
    def of(cls, user: User) -> Sequence["Consent"]:
        """Return all that a user agreed to, newest first."""
        query = select(cls).options(joinedload(cls.revision).load_only(TextRevision.text_id))
        return db.session.scalars(query.where(cls.user_id == user.id).order_by(cls.id.desc())).all()

    @staticmethod
    def record(user_id: int, how: str, documents: Sequence[Document], *, when: bool = True) -> None:
        """Add a row for each document. The caller commits.

        The statements also run if ``when`` is False, and then add nothing: the time of a sign-up must not reveal
        whether the address has an account.
        """
        for each in documents:
            values: dict[str, ColumnElement[Any]] = {
                "user_id": literal(user_id),
                "document": literal(each.name),
                "digest": literal(each.digest),
                "revision_id": literal(each.revision_id, Integer),
                "created_at": literal(utc_now(), UTCDateTime),
                "ip_address": literal((request.remote_addr or "")[:45]),
                "how": literal(how),
            }
            row = select(*values.values()).where(literal(when))
            db.session.execute(insert(Consent).from_select(list(values), row))


def documents(*conditions: ColumnElement[bool]) -> list[Document]:
    """Return the documents that who joins the site has to agree to, in the order of CONSENT_DOCUMENTS."""
    names = list(current_app.config["CONSENT_DOCUMENTS"])
    if not names:
        return []
    latest = select(func.max(TextRevision.id)).where(TextRevision.text_id == EditableHTML.id).scalar_subquery()
    published = EditableHTML.editor_name.in_(names) & EditableHTML.published & (EditableHTML.title != "")
    rows = db.session.execute(select(EditableHTML, latest).where(published, *conditions)).all()
    found = [Document(text.editor_name, text.title, text.fingerprint, revision_id) for text, revision_id in rows]
    return sorted(found, key=lambda document: names.index(document.name))


def sample_documents() -> Sequence[EditableHTML]:
    """Return the documents that nobody has written yet."""
    is_sample = EditableHTML.value.startswith(SAMPLE, autoescape=True)
    names = EditableHTML.editor_name.in_(list(current_app.config["CONSENT_DOCUMENTS"]))
    return db.session.scalars(select(EditableHTML).where(names, is_sample).order_by(EditableHTML.id)).all()


def documents_due(user: User) -> list[Document]:
    """Return those with a revision that asks everybody again, to which this user has not agreed since."""
    own = (Consent.user_id == user.id, Consent.document == EditableHTML.editor_name)
    agreed = select(Consent.id).where(*own, Consent.revision_id >= TextRevision.id)
    asking = select(TextRevision.id).where(
        TextRevision.text_id == EditableHTML.id, TextRevision.asks_again, ~agreed.exists()
    )
    return documents(asking.exists())
