"""Signing up, such that nobody learns who has an account already."""

from app import email
from app.account.forms import RegistrationForm
from app.extensions import db
from app.kit.auth.passwords import hash_password
from app.kit.db.database import insert_unless_taken
from app.models import AuditEvent, Role, User


def register(form: RegistrationForm) -> None:
    """Add the user, or write to the owner when the address has an account; the caller commits.

    Both ways take the same statements and one hash: neither the page, nor its time, nor its work
    tells a stranger whether the address is known.
    """
    is_new = insert_unless_taken(db.session(), User, **_columns(form))
    user = User.with_email(form.email.data)
    if user is None:  # deleted at this very moment
        return
    notice = email.confirm if is_new else email.already_registered
    notice.send(user)
    AuditEvent.record("user.registered" if is_new else "user.registered_again", subject=user)


def _columns(form: RegistrationForm) -> dict[str, object]:
    role = Role.for_newcomers()
    return {
        "first_name": form.first_name.data,
        "last_name": form.last_name.data,
        "email": form.email.data,
        "password_hash": hash_password(form.password.data),
        "role_id": role.id if role else None,
    }
