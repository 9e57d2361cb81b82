"""Changes and exports of many users: choosing them, confirming, and watching the progress."""

from typing import Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from app.access import access
from app.admin.blueprint import admin
from app.admin.bulk_tasks import ACTIONS, action_of, count_of, start
from app.admin.forms import BulkTaskForm
from app.admin.jobs import enqueue
from app.extensions import db
from app.kit.auth.sudo import sudo_required
from app.kit.http.routing import row_id
from app.kit.pages.table import Table, clean
from app.kit.storage.serving import file_response
from app.kit.storage.store import StorageError
from app.models import AuditEvent, BulkTask, Permission, Role, User, users_chosen
from app.models.bulk_task import CANCELED

REFRESH_SECONDS = 3
SHOWN_USERS = 5
FILTERS = ("search", "role", "state")


@admin.get("/bulk")
@access(Permission.VIEW_USERS)
def bulk_tasks() -> str:
    """List the changes of many users, and one's own exports."""
    table = Table.from_request(
        BulkTask.visible_to(current_user), columns={"started": BulkTask.created_at}, sort="-started"
    )
    return render_template("admin/bulk_tasks.html", table=table, action_of=action_of)


@admin.route("/bulk/new", methods=["GET", "POST"])
@access(Permission.VIEW_USERS)
@sudo_required
def new_bulk_task() -> str | Response:
    """Show what is to be done to how many users, and start it when that is confirmed."""
    name, chosen = request.args.get("action", ""), _chosen()
    if name not in ACTIONS or chosen == {"ids": []}:
        flash("Select some users and what to do with them.", "error")
        return redirect(url_for("admin.registered_users"))
    if not current_user.can(ACTIONS[name].permission):
        abort(403)
    form, count = BulkTaskForm.of(name, ACTIONS[name].label, ACTIONS[name].is_dangerous), count_of(chosen)
    if form.validate_on_submit() and count:
        if form.count.data == str(count):
            return _start(name, chosen, count, form)
        flash("Meanwhile their number has changed. Please look again.", "warning")
    form.count.data = str(count)
    return render_template(
        "admin/new_bulk_task.html",
        form=form,
        action=ACTIONS[name],
        count=count,
        chosen=chosen,
        role=db.session.get(Role, role_id) if (role_id := row_id(chosen.get("role", ""))) is not None else None,
        users=db.session.scalars(select(User).where(users_chosen(chosen)).limit(SHOWN_USERS)).all(),
    )


def _chosen() -> dict[str, Any]:
    """Return which users the URL names: those that were selected, or all of a search and filters."""
    if request.args.get("of") == "all":
        wanted = {name: clean(request.args.get(name, "")) for name in FILTERS}
        return {name: value for name, value in wanted.items() if value}
    found = map(row_id, request.args.getlist("user"))
    return {"ids": sorted({user_id for user_id in found if user_id is not None})}


def _start(name: str, chosen: dict[str, Any], count: int, form: BulkTaskForm) -> Response:
    try:
        task = start(db.session.get_one(User, current_user.id), name, chosen, count, form.details())
    except IntegrityError:
        db.session.rollback()
        flash("You have started the same before. Wait until it is done, or cancel it.", "error")
        return redirect(url_for("admin.bulk_tasks"))
    enqueue(task)
    db.session.commit()
    return redirect(url_for("admin.bulk_task", task_id=task.id))


@admin.get("/bulk/<int:task_id>")
@access(Permission.VIEW_USERS)
def bulk_task(task_id: int) -> tuple[str, dict[str, str]]:
    """Show how far a task is. The page reloads by itself until the task has ended."""
    task = _task_or_404(task_id)
    left_out = AuditEvent.with_people().where(
        AuditEvent.parent_id == task.event_id, AuditEvent.event == "user.left_out"
    )
    html = render_template(
        "admin/bulk_task.html",
        task=task,
        action=action_of(task),
        left_out=db.session.scalars(left_out.order_by(AuditEvent.id).limit(25)).all() if task.left_out else [],
    )
    return html, {"Refresh": str(REFRESH_SECONDS)} if task.is_running else {}


@admin.post("/bulk/<int:task_id>/cancel")
@access(Permission.VIEW_USERS)
@sudo_required
def cancel_bulk_task(task_id: int) -> Response:
    """Stop a task before the next user."""
    task = _task_or_404(task_id)
    if task.finish(CANCELED):
        AuditEvent.record("users.change_canceled", done=task.done).parent_id = task.event_id
        flash("Canceled. What was done before stays.", "success")
    db.session.commit()
    return redirect(url_for("admin.bulk_task", task_id=task_id))


@admin.get("/bulk/<int:task_id>/users.csv")
@access(Permission.VIEW_USERS)
@sudo_required
def download_users(task_id: int) -> Response:
    """Return the file of an export, to its maker only."""
    task = _task_or_404(task_id)
    if task.file is None or not task.is_offered:
        abort(404)
    if not current_user.can(ACTIONS["export"].permission):
        abort(403)
    try:
        pieces = task.file.pieces()
    except StorageError as error:
        current_app.logger.error("an export could not be read: %s", error)
        flash("The file cannot be read just now. Try again later, or export again.", "error")
        return redirect(url_for("admin.bulk_task", task_id=task_id))
    return file_response(pieces, "text/csv", f"users-{task.created_at:%Y-%m-%d}.csv")


def _task_or_404(task_id: int) -> BulkTask:
    return db.session.scalar(BulkTask.visible_to(current_user).where(BulkTask.id == task_id)) or abort(404)
