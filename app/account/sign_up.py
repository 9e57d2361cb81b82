"""Signing up, such that nobody learns who has an account already.

Nobody is logged in before the address is confirmed: the same form would else tell, by letting in or not, whether
the address was free.
"""

from sqlalchemy import delete, func, literal, select, update

from app import email
from app.account.forms import RegistrationForm
from app.extensions import db
from app.kit.auth.passwords import hash_password
from app.kit.db.database import insert_unless_taken, utc_now
from app.kit.mail.catalog import CatalogEmail
from app.models import AuditEvent, Role, User, UserSession


def register(form: RegistrationForm) -> None:
    """Add the user, or write to the owner when the address has an account; the caller commits.

    An account that nobody confirmed holds the address against nobody: this sign-up takes its place.
    All ways take the same statements and one hash: neither the page, nor its time, nor its work
    tells anybody whether the address is known.
    """
    columns = _columns(form)
    is_new = insert_unless_taken(db.session(), User, **columns)
    user = _hold_user(form.email.data)
    if user is None:  # deleted at this very moment
        return
    is_pending = _awaits_confirmation(user, columns["role_id"])
    will_be_told = _notice(is_pending).send(user)
    # Without an email to confirm it, a sign-up must not put an end to the link that was mailed before.
    _replace_sign_up(user, columns, when=is_pending and will_be_told)
    AuditEvent.record("user.registered" if is_new else "user.registered_again", subject=user)


def send_again(address: str) -> None:
    """Repeat the email that a sign-up with ``address`` caused; the same work for any address; the caller commits."""
    role_id = _newcomers_role_id()
    user = User.with_email(address)
    if user is None:
        email.confirm.send_to_nobody(address)
    else:
        _notice(_awaits_confirmation(user, role_id)).send(user)


def _columns(form: RegistrationForm) -> dict[str, object]:
    return {
        "first_name": form.first_name.data,
        "last_name": form.last_name.data,
        "email": form.email.data,
        "password_hash": hash_password(form.password.data),
        "role_id": _newcomers_role_id(),
    }


def _hold_user(address: str) -> User | None:
    """Return the user with this address, held until the transaction ends.

    Whoever confirms, or signs up again, at the same moment comes wholly before or wholly after. (On SQLite the
    insert before holds the whole database.)
    """
    query = select(User).where(func.lower(User.email) == address.lower())
    return db.session.scalar(query.with_for_update(of=User, key_share=True))


def _newcomers_role_id() -> int | None:
    role = Role.for_newcomers()
    return role.id if role else None


def _awaits_confirmation(user: User, newcomers_role_id: object) -> bool:
    """Return whether the account is a mere sign-up: never confirmed, not invited, not promoted or disabled."""
    return user.state == "unconfirmed" and user.role_id == newcomers_role_id


def _notice(is_pending: bool) -> CatalogEmail:
    return email.confirm if is_pending else email.already_registered


def _replace_sign_up(user: User, columns: dict[str, object], *, when: bool) -> None:
    """Give the account the data of the newest sign-up, and end the sessions that an earlier one left.

    Links to confirm die with the old hash. Both statements are sent whether or not they change anything. The address
    stays as it is spelled: an email under way to another spelling would be canceled.
    """
    newest = {name: value for name, value in columns.items() if name != "email"}
    replacing = (
        update(User)
        .where(User.id == user.id, literal(when))
        .values(**newest, created_at=utc_now(), access_version=User.access_version + 1)
    )
    ending = delete(UserSession).where(UserSession.user_id == user.id, literal(when))
    for statement in (replacing, ending):
        db.session.execute(statement, execution_options={"synchronize_session": False})
