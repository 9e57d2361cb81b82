"""What an administrator does to other people's accounts.

Each function writes what it does into the audit log, in the same transaction; the view commits.
"""

from flask_login import current_user

from app import email
from app.extensions import db
from app.kit.auth.passwords import hash_password
from app.kit.db.database import lock_unchanged
from app.models import AuditEvent, Permission, Role, User, UserSession, delete_user
from app.models.user import lock_administrator_roles


class RefusedError(Exception):
    """The action would lock somebody out who must not be; the text is for the administrator."""


def add_user(first_name: str, last_name: str, address: str, role: Role, password: str) -> User:
    """Add a user who can log in at once with ``password``."""
    password_hash = hash_password(password)  # first: it takes long, and nobody should wait for what is held
    _hold()
    user = User(first_name=first_name, last_name=last_name, email=address, role=role, confirmed=True)
    user.password_hash = password_hash
    db.session.add(user)
    AuditEvent.record("user.created", subject=user, role=role.name)
    return user


def invite_user(first_name: str, last_name: str, address: str, role: Role) -> User:
    """Add a user without a password, and mail the link with which to choose one."""
    _hold()
    user = User(first_name=first_name, last_name=last_name, email=address, role=role)
    db.session.add(user)
    db.session.flush()
    email.invite.send(user)
    AuditEvent.record("user.invited", subject=user, role=role.name)
    return user


def resend_invitation(user: User) -> None:
    """Mail the invitation again; its link is new, the earlier one works as long as it would have."""
    _hold(user)
    if not user.is_invited:
        raise RefusedError(f"{user.full_name()} has joined already.")
    email.invite.send(user)
    AuditEvent.record("user.invited", subject=user, again=True)


def change_email(user: User, address: str) -> User:
    """Give ``user`` another address, and tell it and those of the last 30 days; an invitation goes to the new one."""
    _hold(user)
    user.email = address
    db.session.flush()
    if user.is_invited:
        email.invite.send(user)
    else:
        for recipient in user.addresses_to_tell():
            email.email_changed.send(user, recipient=recipient, new_email=address)
    AuditEvent.record("email.changed", subject=user)
    return user


def change_role(user: User, role: Role) -> None:
    """Give ``user`` another role."""
    _hold(user)
    _refuse_oneself(user, "You cannot change your own account type.")
    if not role.has(Permission.ADMINISTER):
        _refuse_last_administrator(user)
    old_name = user.role.name if user.role else ""
    user.role = role
    AuditEvent.record("user.role_changed", subject=user, old=old_name, new=role.name)


def disable(user: User, reason: str) -> None:
    """Lock ``user`` out at once, in every browser, keeping everything that belongs to the account."""
    _hold(user)
    _refuse_oneself(user, "You cannot disable yourself.")
    _refuse_last_administrator(user)
    user.disable(reason)
    UserSession.end_all(user)
    AuditEvent.record("user.disabled", subject=user, reason=reason)


def enable(user: User) -> None:
    """Let a disabled user log in again."""
    _hold(user)
    user.enable()
    AuditEvent.record("user.enabled", subject=user)


def end_sessions(user: User) -> None:
    """Log ``user`` out in every browser."""
    _hold(user)
    UserSession.end_all(user)
    AuditEvent.record("session.all_ended", subject=user)


def delete(user: User) -> None:
    """Delete ``user`` with what belongs to the account; audit events stay, without the name."""
    _hold(user)
    _refuse_oneself(user, "Delete your own account on your account page.")
    _refuse_last_administrator(user)
    AuditEvent.record("user.deleted", uid=user.uid)
    delete_user(user)


def _hold(*users: User) -> None:
    """Hold whom the action is about and who does it, as they were when the page was opened.

    Of two administrators who demote each other, the second is none any more when it is their turn.
    """
    lock_unchanged(db.session, current_user._get_current_object(), *users)


def _refuse_oneself(user: User, message: str) -> None:
    if user.id == current_user.id:
        raise RefusedError(message)


def _refuse_last_administrator(user: User) -> None:
    if not user.is_admin():
        return
    lock_administrator_roles()
    if user.is_last_administrator():
        raise RefusedError(f"{user.full_name()} is the last administrator. Make somebody else one first.")
