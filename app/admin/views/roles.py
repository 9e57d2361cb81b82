"""Listing, adding, changing and deleting roles."""

from collections.abc import Sequence

from flask import flash, redirect, render_template, url_for
from sqlalchemy import func, literal, select, union_all
from werkzeug.wrappers import Response

from app.access import access
from app.admin import role_actions
from app.admin.blueprint import admin
from app.admin.role_form import RoleForm
from app.admin.views.user_changes import succeeds
from app.extensions import db
from app.kit.auth.sudo import sudo_required
from app.kit.pages.table import COUNTED
from app.models import Permission, Role, User
from app.models.role import all_permissions


@admin.get("/roles")
@access(Permission.CHANGE_ROLES)
def roles() -> str:
    """List the roles with the number of their users, which is exact up to COUNTED."""
    rows = db.session.scalars(select(Role).order_by(Role.name)).all()
    return render_template(
        "admin/roles.html",
        roles=rows,
        users=_numbers_of_users(rows),
        counted=COUNTED,
        may_change=role_actions.may_change,
    )


@admin.route("/roles/new", methods=["GET", "POST"])
@access(Permission.CHANGE_ROLES)
@sudo_required
def new_role() -> str | Response:
    """Add a role."""
    form = RoleForm(permissions=[int(Permission.GENERAL)], index="main")
    if form.validate_on_submit() and _save(None, form, "The account type is added."):
        return redirect(url_for("admin.roles"))
    return render_template("admin/change_role.html", form=form, role=None)


@admin.route("/roles/<int:role_id>", methods=["GET", "POST"])
@access(Permission.CHANGE_ROLES)
@sudo_required
def change_role(role_id: int) -> str | Response:
    """Change a role that the code does not define."""
    role = db.get_or_404(Role, role_id)
    if not role_actions.may_change(role):
        flash("This account type cannot be changed here.", "info")
        return redirect(url_for("admin.roles"))
    granted = [int(bit) for bit in all_permissions() if role.has(bit)]
    form = RoleForm(name=role.name, permissions=granted, index=role.index)
    if form.validate_on_submit() and _save(role, form, "The account type is changed."):
        return redirect(url_for("admin.roles"))
    return render_template("admin/change_role.html", form=form, role=role)


def _save(role: Role | None, form: RoleForm, done: str) -> bool:
    return succeeds(lambda: role_actions.save_role(role, form.name.data, form.bits, form.index.data), done)


@admin.post("/roles/<int:role_id>/make-default")
@access(Permission.CHANGE_ROLES)
@sudo_required
def make_default_role(role_id: int) -> Response:
    """Give a role to new users from now on."""
    role = db.get_or_404(Role, role_id)
    succeeds(lambda: role_actions.make_default(role), f"New users get the account type {role.name} from now on.")
    return redirect(url_for("admin.roles"))


@admin.post("/roles/<int:role_id>/delete")
@access(Permission.CHANGE_ROLES)
@sudo_required
def delete_role(role_id: int) -> Response:
    """Delete a role that nobody has."""
    role = db.get_or_404(Role, role_id)
    succeeds(lambda: role_actions.delete_role(role), f"The account type {role.name} is deleted.")
    return redirect(url_for("admin.roles"))


def _numbers_of_users(rows: Sequence[Role]) -> dict[int, int]:
    """Count the users of each role in one query, which reads at most COUNTED rows of an index for each."""
    counts = []
    for role in rows:
        some = select(User.id).where(User.role_id == role.id).limit(COUNTED + 1).subquery()
        counts.append(select(literal(role.id), func.count()).select_from(some))
    return dict(db.session.execute(union_all(*counts)).all()) if counts else {}
