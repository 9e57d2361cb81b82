"""Sign-up that does not reveal whether an address has an account.

Nobody is logged in before the address is confirmed. Otherwise the form would reveal, by logging in or not, whether
the address was free.
"""

from sqlalchemy import delete, func, insert, literal, select, update

from app import email
from app.account.forms import RegistrationForm, SignUpForm
from app.extensions import db
from app.kit.auth.passwords import hash_password
from app.kit.db.database import PLAIN, insert_unless_taken, utc_now
from app.kit.mail.catalog import CatalogEmail
from app.models import AuditEvent, Consent, LinkedIdentity, Role, User, UserSession


def register(form: SignUpForm, identity: LinkedIdentity | None = None) -> bool:
    """Add the user, or send an email to the owner if the address has an account. The caller commits.

    Return False, with a message in the form, if its proof of work was used before.
    ``identity`` is a row that is not added yet, with which the user can log in after the confirmation.

    An unconfirmed account does not reserve its address: this sign-up replaces it. Every case runs the same
    statements and one hash, so neither the page nor its response time reveals whether the address is known.
    """
    columns = _columns(form)
    if isinstance(form, RegistrationForm) and not form.spend_proof():
        return False
    is_new = insert_unless_taken(db.session(), User, **columns)
    user = lock_user(form.email.data)
    if user is None:  # deleted since the insert
        return True
    is_pending = awaits_confirmation(user, columns["role_id"])
    will_be_told = _notice(is_pending).send(user)
    # If the rate limit stops the email, this sign-up must not invalidate the link of the earlier one.
    is_replaced = is_pending and will_be_told
    _replace_sign_up(user, columns, when=is_replaced)
    Consent.record(user.id, "sign-up", form.documents, when=is_new or is_replaced)
    if identity is not None:
        _link(user, identity, when=is_replaced)
    AuditEvent.record("user.registered" if is_new else "user.registered_again", subject=user)
    return True


def send_again(address: str) -> None:
    """Send the email of a sign-up with ``address`` again, with the same work for any address. The caller commits."""
    role_id = newcomers_role_id()
    user = User.with_email(address)
    if user is None:
        email.confirm.send_to_nobody(address)
    else:
        _notice(awaits_confirmation(user, role_id)).send(user)


def _columns(form: SignUpForm) -> dict[str, object]:
    return {
        "first_name": form.first_name.data,
        "last_name": form.last_name.data,
        "email": form.email.data,
        "password_hash": hash_password(form.password.data) if isinstance(form, RegistrationForm) else None,
        "role_id": newcomers_role_id(),
    }


def lock_user(address: str) -> User | None:
    """Return the user with this address, its row locked until the transaction ends.

    A confirmation or another sign-up at the same time happens entirely before or entirely after this one. (On
    SQLite the insert has already locked the whole database.)
    """
    query = select(User).where(func.lower(User.email) == address.lower())
    return db.session.scalar(query.with_for_update(of=User, key_share=True))


def newcomers_role_id() -> int | None:
    """Return the id of the role of new users."""
    role = Role.for_newcomers()
    return role.id if role else None


def awaits_confirmation(user: User, newcomers_role_id: object) -> bool:
    """Return whether the account is only a sign-up: never confirmed, not invited, promoted or disabled."""
    return user.state == "unconfirmed" and user.role_id == newcomers_role_id


def _notice(is_pending: bool) -> CatalogEmail:
    return email.confirm if is_pending else email.already_registered


def _replace_sign_up(user: User, columns: dict[str, object], *, when: bool) -> None:
    """Give the account the data of the newest sign-up, and end the sessions, links and consent of earlier ones.

    Earlier confirmation links become invalid with the old hash. The statements always run, even if they change
    nothing. The spelling of the address stays: an email in the outbox for another spelling would be canceled.
    """
    newest = {name: value for name, value in columns.items() if name != "email"}
    anew = {"search_text": User.words_in(columns), "created_at": utc_now(), "access_version": User.access_version + 1}
    replacing = update(User).where(User.id == user.id, literal(when)).values({**newest, **anew})
    former = (UserSession, LinkedIdentity, Consent)
    ending = [delete(model).where(model.user_id == user.id, literal(when)) for model in former]
    for statement in (replacing, *ending):
        db.session.execute(statement, execution_options=PLAIN)


def _link(user: User, identity: LinkedIdentity, *, when: bool) -> None:
    told = identity.told()
    values = select(literal(user.id), *(literal(text) for text in told.values())).where(literal(when))
    db.session.execute(insert(LinkedIdentity).from_select(["user_id", *told], values))
