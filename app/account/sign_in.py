"""Starting a session, and the notice about a browser that is new."""

from flask import flash
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from app import email
from app.account.request_details import request_details
from app.extensions import db
from app.kit.db.database import insert_unless_taken
from app.models import AuditEvent, KnownDevice, User
from app.sessions import log_in


def let_in(user: User, remembered: bool = False, greeting: str = "") -> bool:
    """Log ``user`` in, commit and say so. Return False if the account was changed while the password was verified."""
    try:
        log_in(user, remembered)
    except StaleDataError:
        db.session.rollback()
        return False
    is_first = _note_device(user)
    db.session.commit()
    flash(greeting or f"You are now logged in. Welcome{'' if is_first else ' back'}!", "success")
    return True


def _note_device(user: User) -> bool:
    """Mail a notice if the user has logged in before, but never with this browser. Return whether it is the first."""
    origin = request_details()
    is_first = db.session.scalar(select(KnownDevice.id).where(KnownDevice.user_id == user.id).limit(1)) is None
    is_new = insert_unless_taken(db.session(), KnownDevice, user_id=user.id, label=origin["browser"])
    if is_new and not is_first:
        email.new_device.send(user, **origin)
    AuditEvent.record("user.logged_in", subject=user, actor=user, browser=origin["browser"])
    return is_first
