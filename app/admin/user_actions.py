"""What an administrator can do to other accounts.

Each function adds an audit event in the same transaction. The view commits.
"""

from flask import current_app
from flask_login import current_user

from app import email, factor_removals
from app.extensions import db
from app.impersonation import begin, may_impersonate
from app.kit.auth.passwords import hash_password
from app.kit.db.database import lock_unchanged, utc_now
from app.models import AuditEvent, FactorRemoval, Permission, Role, User, UserSession, delete_user
from app.models.audit_event import acting_user
from app.models.user import lock_administrator_roles
from app.second_factors import has_factor

NOT_AS_THIS_USER = "You can look at the site only as a user who may log in and has fewer permissions than you."


class RefusedError(Exception):
    """The action is not allowed. The message says why, and is shown to the administrator."""


def add_user(first_name: str, last_name: str, address: str, role: Role, password: str) -> User:
    """Add a user who can log in at once with ``password``."""
    password_hash = hash_password(password)  # before the lock, because hashing is slow
    _lock()
    user = User(first_name=first_name, last_name=last_name, email=address, role=role, confirmed=True)
    user.password_hash = password_hash
    db.session.add(user)
    AuditEvent.record("user.created", subject=user, role=role.name)
    return user


def invite_user(first_name: str, last_name: str, address: str, role: Role) -> User:
    """Add a user without a password, and mail a link to set one."""
    _lock()
    user = User(first_name=first_name, last_name=last_name, email=address, role=role, is_invited=True)
    db.session.add(user)
    db.session.flush()
    email.invite.send(user)
    AuditEvent.record("user.invited", subject=user, role=role.name)
    return user


def resend_invitation(user: User) -> None:
    """Mail the invitation again with a new link. Earlier links keep working until they expire.

    Raises :class:`RefusedError` if the user has joined.
    """
    _lock(user)
    if not user.is_invited:
        raise RefusedError(f"{user.full_name()} has joined already.")
    email.invite.send(user)
    AuditEvent.record("user.invited_again", subject=user)


def resend_confirmation(user: User) -> None:
    """Mail the link that confirms the address again.

    Raises :class:`RefusedError` if there is nothing to confirm: an invitation and a reset confirm the address, too.
    """
    _lock(user)
    if user.state != "unconfirmed":
        raise RefusedError(f"{user.full_name()} has nothing to confirm.")
    email.confirm.send_unlimited(user)
    AuditEvent.record("user.confirmation_sent_again", subject=user)


def change_name(user: User, first_name: str, last_name: str) -> None:
    """Give ``user`` another name. The audit event does not hold it: events stay when the user is deleted."""
    _lock(user)
    user.first_name, user.last_name = first_name, last_name
    AuditEvent.record("user.name_changed", subject=user)


def change_email(user: User, address: str) -> User:
    """Change the address of ``user`` and notify it and the former ones; an invited user gets a new invitation."""
    _lock(user)
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
    """Give ``user`` another role.

    Raises :class:`RefusedError` for oneself, and if this would remove the last administrator.
    """
    _lock(user)
    _refuse_oneself(user, "You cannot change your own account type.")
    if not role.has(Permission.ADMINISTER):
        _refuse_last_administrator(user)
    old_name = user.role.name if user.role else ""
    user.role = role
    AuditEvent.record("user.role_changed", subject=user, old=old_name, new=role.name)


def disable(user: User, reason: str) -> None:
    """Disable ``user`` and end every session; the account's data stays.

    Raises :class:`RefusedError` for oneself and for the last administrator.
    """
    _lock(user)
    _refuse_oneself(user, "You cannot disable yourself.")
    _refuse_last_administrator(user)
    user.disable(reason)
    UserSession.end_all(user)
    AuditEvent.record("user.disabled", subject=user, reason=reason)


def enable(user: User) -> None:
    """Let a disabled user log in again."""
    _lock(user)
    user.enable()
    AuditEvent.record("user.enabled", subject=user)


def force_password_reset(user: User) -> None:
    """Remove the password, end every session, and mail a link to choose a new one.

    Every link that was mailed before becomes invalid. Raises :class:`RefusedError` for oneself, and for
    users who would get no link: invited and disabled ones.
    """
    _lock(user)
    _refuse_oneself(user, "Change your own password on your account page.")
    if user.is_invited or user.is_disabled:
        raise RefusedError(f"{user.full_name()} cannot log in with a password at the moment.")
    user.password_hash = None
    user.access_version += 1  # the links of users who had no password, too
    UserSession.end_all(user)
    email.reset_password.send_unlimited(user, forced=True)
    AuditEvent.record("password.reset_forced", subject=user)


def end_sessions(user: User) -> None:
    """Log ``user`` out in every browser."""
    _lock(user)
    UserSession.end_all(user)
    AuditEvent.record("session.all_ended", subject=user)


def remove_factors(user: User, reason: str) -> None:
    """Let all second factors of ``user`` be removed after FACTOR_REMOVAL_DELAY, and mail a link that stops it.

    Raises :class:`RefusedError` for oneself, and where nothing is to be removed or a removal waits already.
    """
    _lock(user)
    _refuse_oneself(user, "Remove your own second factors on your security page.")
    due_at = utc_now() + current_app.config["FACTOR_REMOVAL_DELAY"]
    if not has_factor(user):
        raise RefusedError(f"{user.full_name()} has no second factor.")
    if not factor_removals.begin(user, current_user, reason, due_at):
        raise RefusedError("Somebody has asked for this already.")


def keep_factors(user: User) -> None:
    """Stop the removal of second factors."""
    _lock(user)
    if removal := FactorRemoval.of(user):
        factor_removals.stop(removal)


def delete(user: User) -> None:
    """Delete ``user`` with the account's data; audit events stay, without the name.

    Raises :class:`RefusedError` for oneself and for the last administrator.
    """
    _lock(user)
    _refuse_oneself(user, "Delete your own account on your account page.")
    _refuse_last_administrator(user)
    AuditEvent.record("user.deleted", subject=user, uid=user.uid)
    delete_user(user)


def impersonate(user: User, reason: str) -> None:
    """Let the current user look at the site as ``user``, who gets an email about it (IMPERSONATION_NOTICE).

    Raises :class:`RefusedError` for oneself, for users with as many permissions, and for those who may not log in.
    """
    _lock(user)
    if not may_impersonate(current_user, user):
        raise RefusedError(NOT_AS_THIS_USER)
    begin(user, reason)
    if current_app.config["IMPERSONATION_NOTICE"]:
        email.impersonated.send(user)


def _lock(*users: User) -> None:
    """Lock the rows of ``users`` and of whoever acts, unless they changed since they were read.

    If two administrators demote each other at the same time, only the first one succeeds. Raises
    :class:`RefusedError` for users with more permissions: who changes their address could take over their account.
    """
    actor = acting_user()
    lock_unchanged(db.session, *filter(None, [actor]), *users)
    if actor is not None and not all(actor.role and actor.role.includes(user.role) for user in users):
        raise RefusedError("This account has permissions that you do not have, so you cannot change it.")


def _refuse_oneself(user: User, message: str) -> None:
    actor = acting_user()
    if actor is not None and user.id == actor.id:
        raise RefusedError(message)


def _refuse_last_administrator(user: User) -> None:
    if not user.is_admin():
        return
    lock_administrator_roles()
    if user.is_last_administrator():
        raise RefusedError(f"{user.full_name()} is the last administrator. Make somebody else one first.")
