"""What an administrator can do to roles.

Each function adds an audit event in the same transaction. The view commits. Nobody changes a role of which they do not
hold every permission, nor their own: so whoever takes "Everything" from a role keeps it in another one, and an
administrator remains.
"""

from typing import Any

from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.admin.user_actions import RefusedError
from app.extensions import db
from app.kit.db.database import lock_row, lock_unchanged
from app.models import AuditEvent, Permission, Role
from app.models.role import labels_of

NAME_IS_TAKEN = "There is an account type with this name already."


def save_role(role: Role | None, name: str, permissions: int, index: str) -> None:
    """Change ``role``, or add one if it is None."""
    _lock()
    known, role = role, role or Role(name=name, permissions=0, index=index, default=False)
    if known:
        _refuse_unless_free(known)
    _refuse_more_than_held(Role(permissions=permissions))
    if role.default:
        _refuse_for_newcomers(Role(permissions=permissions))
    before, after = set(role.permission_labels), set(labels_of(permissions))
    details: dict[str, Any] = {
        "before": role.name if role.name != name else "",
        "home": index if role.index != index else "",
    }
    role.name, role.permissions, role.index = name, permissions, index
    if role.is_defined_by_code:  # with the new name
        raise RefusedError(NAME_IS_TAKEN)
    db.session.add(role)
    try:
        db.session.flush()
    except IntegrityError:
        raise RefusedError(NAME_IS_TAKEN) from None
    details |= {"added": ", ".join(sorted(after - before)), "removed": ", ".join(sorted(before - after))}
    AuditEvent.record("role.changed" if known else "role.created", role=name, **details)


def make_default(role: Role) -> None:
    """Give ``role`` to new users from now on."""
    _lock()
    _refuse_more_than_held(role)
    _refuse_for_newcomers(role)
    role.make_default()
    AuditEvent.record("role.made_default", role=role.name)


def delete_role(role: Role) -> None:
    """Delete a role that nobody has."""
    _lock()
    _refuse_unless_free(role)
    if role.default:
        raise RefusedError("New users get this account type. Choose another one for them first.")
    try:
        deleted = role.delete_unless_used()
    except IntegrityError:  # somebody was given it at this moment
        deleted = False
    if not deleted:
        raise RefusedError("Somebody has this account type. Give them another one first.")
    AuditEvent.record("role.deleted", role=role.name)


def _lock() -> None:
    """Lock the current user and all roles, and check the user's own role again as it is now.

    Without the lock, two administrators could take everything from each other's roles at the same time.
    """
    lock_unchanged(db.session, current_user._get_current_object())
    for role in db.session.scalars(select(Role).order_by(Role.id)).all():
        lock_row(db.session, role)
    if not current_user.can(Permission.CHANGE_ROLES):
        raise RefusedError("You may no longer change account types.")


def may_change(role: Role) -> bool:
    """Return whether the current user may change or delete this role."""
    try:
        _refuse_unless_free(role)
    except RefusedError:
        return False
    return True


def _refuse_unless_free(role: Role) -> None:
    if role.is_defined_by_code:
        raise RefusedError("This account type is defined by the code.")
    if role.id == current_user.role_id:
        raise RefusedError("You cannot change your own account type.")
    _refuse_more_than_held(role)


def _refuse_more_than_held(role: Role) -> None:
    if not current_user.role.includes(role):
        raise RefusedError("This account type has permissions that you do not have.")


def _refuse_for_newcomers(role: Role) -> None:
    if role.is_for_staff:
        raise RefusedError("Everybody who signs up would get these permissions. Make an account type without them.")
