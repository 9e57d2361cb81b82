"""Read emails from the outbox, composed as the worker would compose them now."""

import re

from sqlalchemy import select

from app.email import catalog
from app.extensions import db
from app.models import Email


def mailed_kinds() -> list[str]:
    """Return the kinds of the emails in the outbox, oldest first."""
    return list(db.session.scalars(select(Email.kind).order_by(Email.id)))


def mailed_link(kind: str, recipient: str | None = None) -> str:
    """Return the path of the account link in the newest email of this kind."""
    query = select(Email).where(Email.kind == kind).order_by(Email.id.desc())
    if recipient is not None:
        query = query.where(Email.recipient == recipient)
    row = db.session.scalars(query).first()
    assert row is not None, f"no email of the kind {kind!r} to {recipient or 'anybody'}"
    rendered = catalog.emails[kind].compose(row)
    assert rendered is not None, f"the email {kind!r} would be canceled"
    link = re.search(r"https?://[^/\s]+(/account/\S+)", rendered.text)
    assert link is not None, "the email has no link"
    return link.group(1)
