"""What administrators can do to many users at once, and the work that a job does for it.

Each user is checked again when it is the user's turn, and each turn is one transaction, which also moves the place in
the row of the task: after a worker was killed, the next one goes on with the next user.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from app.admin import user_actions
from app.admin.user_actions import RefusedError
from app.extensions import db
from app.models import AuditEvent, BulkTask, Permission, Role, User, users_chosen
from app.models.audit_event import acting_as, acting_user
from app.models.bulk_task import DONE, STOPPED

USERS_PER_BATCH = 500
Details = Mapping[str, Any]


class LeftOutError(Exception):
    """The user is left out. The message says why. The audit log keeps it, so it names nobody."""


@dataclass(frozen=True)
class Action:
    """What can be done to many users, and the function that does it to one; an export has none."""

    label: str
    permission: Permission
    change: Callable[[User, Details], None] | None = None
    is_dangerous: bool = False


def start(actor: User, action: str, chosen: Mapping[str, Any], total: int, details: Details) -> BulkTask:
    """Add a task for a job to do. The caller enqueues the job and commits.

    Raises ``IntegrityError`` while another task of this kind and user has not ended.
    """
    parent = AuditEvent.record(
        "users.change_started" if ACTIONS[action].change else "users.exported",
        actor=actor,
        count=total,
        change=ACTIONS[action].label,
        **chosen,
        **details,
    )
    db.session.flush()
    task = BulkTask(
        user_id=actor.id,
        action=action,
        chosen=dict(chosen),
        details=dict(details),
        total=total,
        last_user_id=db.session.scalar(select(func.max(User.id))) or 0,
        event_id=parent.id,
        file_id=None,
    )
    db.session.add(task)
    db.session.flush()
    return task


def action_of(task: BulkTask) -> Action:
    """Return what a task does; one whose action is gone changes nobody."""
    return ACTIONS.get(task.action, Action(task.action, Permission.ADMINISTER, _refuse))


def count_of(chosen: Mapping[str, Any]) -> int:
    """Return how many users are chosen at this moment."""
    return db.session.scalar(select(func.count()).select_from(User).where(users_chosen(chosen))) or 0


def still_running(task_id: int) -> BulkTask | None:
    """Return the task as it is now, or None if it has ended; end it if its administrator may not do this any more."""
    task = db.session.get(BulkTask, task_id, populate_existing=True)
    if task is None or not task.is_running:
        return None
    if task.user.may_log_in and task.user.can(action_of(task).permission):
        return task
    task.finish(STOPPED)
    db.session.commit()
    return None


def change_batch(task_id: int) -> bool:
    """Change the next 500 users of a task, and return whether there are more. Commits after each."""
    task = still_running(task_id)
    if task is None:
        return False
    place, limit = task.position, min(USERS_PER_BATCH, task.total - task.done)
    ids = db.session.scalars(select(User.id).where(task.following(place)).order_by(User.id).limit(limit)).all()
    for user_id in ids:
        if not _change_next(task_id, place, user_id):
            return False
        place = user_id
    if len(ids) < USERS_PER_BATCH and (task := db.session.get(BulkTask, task_id)):
        task.finish(DONE)
        db.session.commit()
    return len(ids) == USERS_PER_BATCH


def _change_next(task_id: int, place: int, user_id: int) -> bool:
    """Change one user. Return False if the task has ended, or another worker goes on with it. Commits."""
    task = still_running(task_id)
    if task is None or not task.move(place, user_id):
        db.session.rollback()
        return False
    with acting_as(task.user, task.event_id):
        _change_or_leave_out(task, user_id)
        db.session.commit()
    return True


def _change_or_leave_out(task: BulkTask, user_id: int) -> None:
    change = action_of(task).change or _refuse
    try:
        with db.session.begin_nested():
            change(_checked(task.user, user_id), task.details)
    except tuple(REASONS) as error:
        task.left_out += 1
        # It may have been deleted since.
        subject = db.session.get(User, user_id, populate_existing=True)
        AuditEvent.record("user.left_out", subject=subject, reason=REASONS[type(error)] or str(error))


REASONS: dict[type[Exception], str] = {
    LeftOutError: "",
    RefusedError: "not possible for this account",
    IntegrityError: "other data needs this account",
    StaleDataError: "somebody else changed it at the same moment",
}


def _checked(actor: User, user_id: int) -> User:
    """Return the user as it is now. Raises :class:`LeftOutError` for an account that bulk changes leave alone."""
    user = db.session.get(User, user_id, populate_existing=True)
    if user is None:
        raise LeftOutError("deleted meanwhile")
    if user.id == actor.id:
        raise LeftOutError("your own account")
    # Administrators among them: whoever wants to disable one does so on the page of that one.
    if actor.role is None or not actor.role.outranks(user.role):
        raise LeftOutError("has as many permissions as you, or more")
    return user


def _refuse(_user: User, _details: Details) -> None:
    raise LeftOutError("unknown change")


def _disable(user: User, details: Details) -> None:
    if user.is_disabled:
        raise LeftOutError("disabled already")
    user_actions.disable(user, details["reason"])


def _enable(user: User, _details: Details) -> None:
    if not user.is_disabled:
        raise LeftOutError("not disabled")
    user_actions.enable(user)


def _change_role(user: User, details: Details) -> None:
    role, actor = db.session.get(Role, details["role_id"]), acting_user()
    if role is None or actor is None or actor.role is None or not actor.role.includes(role):
        raise LeftOutError("the account type is gone, or has more permissions than you")
    if user.role_id == role.id:
        raise LeftOutError("has this account type already")
    user_actions.change_role(user, role)


def _invite_again(user: User, _details: Details) -> None:
    if not user.is_invited or user.is_disabled:
        raise LeftOutError("not waiting for an invitation")
    user_actions.resend_invitation(user)


ACTIONS: dict[str, Action] = {
    "export": Action("Export as CSV", Permission.EXPORT_USERS),
    "resend": Action("Send the invitation again", Permission.CHANGE_USERS, _invite_again),
    "role": Action("Change account type", Permission.CHANGE_ROLES, _change_role),
    "enable": Action("Enable", Permission.DISABLE_USERS, _enable),
    "disable": Action("Disable", Permission.DISABLE_USERS, _disable, is_dangerous=True),
    "delete": Action(
        "Delete", Permission.DELETE_USERS, lambda user, _details: user_actions.delete(user), is_dangerous=True
    ),
}
