"""Changing, disabling and deleting users. user_actions.py refuses what is not allowed."""

from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from app.access import access
from app.admin import user_actions
from app.admin.blueprint import admin
from app.admin.forms import (
    ChangeAccountTypeForm,
    ChangeUserEmailForm,
    ChangeUserNameForm,
    DisableUserForm,
    RemoveFactorsForm,
)
from app.admin.user_actions import RefusedError
from app.admin.views.users import save_user
from app.extensions import db
from app.kit.auth.sudo import sudo_required
from app.kit.forms.form import Form
from app.models import Permission, User


@admin.route("/user/<int:user_id>/change-name", methods=["GET", "POST"])
@access(Permission.CHANGE_USERS)
@sudo_required
def change_user_name(user_id: int) -> str | Response:
    """Change a user's first and last name."""
    user = db.get_or_404(User, user_id)
    form = ChangeUserNameForm(obj=user)
    if form.validate_on_submit():
        name = form.first_name.data, form.last_name.data
        return carry_out(user_id, lambda user: user_actions.change_name(user, *name), "The name is changed.")
    return render_template("admin/change_user_name.html", user=user, form=form)


@admin.route("/user/<int:user_id>/change-email", methods=["GET", "POST"])
@access(Permission.CHANGE_USERS)
@sudo_required
def change_user_email(user_id: int) -> str | Response:
    """Change a user's address."""
    user, form = db.get_or_404(User, user_id), ChangeUserEmailForm()
    if form.validate_on_submit() and save_user(form, lambda: user_actions.change_email(user, form.email.data)):
        flash(f"The address is {form.email.data} now.", "success")
        return _to_user(user_id)
    return render_template("admin/change_user_email.html", user=user, form=form)


@admin.route("/user/<int:user_id>/change-account-type", methods=["GET", "POST"])
@access(Permission.CHANGE_ROLES)
@sudo_required
def change_account_type(user_id: int) -> str | Response:
    """Change a user's role."""
    user = db.get_or_404(User, user_id)
    form = ChangeAccountTypeForm(role=user.role_id)
    if form.validate_on_submit():
        role = form.chosen_role
        return carry_out(user_id, lambda user: user_actions.change_role(user, role), "The account type is changed.")
    return render_template("admin/change_account_type.html", user=user, form=form)


@admin.route("/user/<int:user_id>/disable", methods=["GET", "POST"])
@access(Permission.DISABLE_USERS)
@sudo_required
def disable_user(user_id: int) -> str | Response:
    """Disable a user, after asking for the reason."""
    done = "The user is disabled and logged out."
    return _with_reason("admin/disable_user.html", user_id, DisableUserForm(), user_actions.disable, done)


@admin.post("/user/<int:user_id>/enable")
@access(Permission.DISABLE_USERS)
@sudo_required
def enable_user(user_id: int) -> Response:
    """Enable a disabled user."""
    return carry_out(user_id, user_actions.enable, "The user can log in again.")


@admin.post("/user/<int:user_id>/end-sessions")
@access(Permission.CHANGE_USERS)
@sudo_required
def end_user_sessions(user_id: int) -> Response:
    """Log a user out in every browser."""
    return carry_out(user_id, user_actions.end_sessions, "The user is logged out everywhere.")


@admin.post("/user/<int:user_id>/resend-invitation")
@access(Permission.CHANGE_USERS)
@sudo_required
def resend_invitation(user_id: int) -> Response:
    """Mail the invitation again."""
    return carry_out(user_id, user_actions.resend_invitation, "The invitation is on its way to {user.email} again.")


@admin.post("/user/<int:user_id>/resend-confirmation")
@access(Permission.CHANGE_USERS)
@sudo_required
def resend_confirmation(user_id: int) -> Response:
    """Mail the link that confirms the address again."""
    return carry_out(user_id, user_actions.resend_confirmation, "The link is on its way to {user.email} again.")


@admin.post("/user/<int:user_id>/force-password-reset")
@access(Permission.CHANGE_USERS)
@sudo_required
def force_password_reset(user_id: int) -> Response:
    """Make a user choose a new password."""
    done = "The old password no longer works. A link to choose a new one is on its way to {user.email}."
    return carry_out(user_id, user_actions.force_password_reset, done)


@admin.route("/user/<int:user_id>/remove-second-factors", methods=["GET", "POST"])
@access(Permission.REMOVE_FACTORS)
@sudo_required
def remove_second_factors(user_id: int) -> str | Response:
    """Remove all second factors of a user after a day, after asking for the reason."""
    action, done = user_actions.remove_factors, "{user.email} gets an email, and can stop it before it happens."
    return _with_reason("admin/remove_second_factors.html", user_id, RemoveFactorsForm(), action, done)


@admin.post("/user/<int:user_id>/keep-second-factors")
@access(Permission.REMOVE_FACTORS)
@sudo_required
def keep_second_factors(user_id: int) -> Response:
    """Stop the removal."""
    return carry_out(user_id, user_actions.keep_factors, "The second factors stay.")


@admin.get("/user/<int:user_id>/delete")
@access(Permission.DELETE_USERS)
@sudo_required
def delete_user_request(user_id: int) -> str:
    """Ask for confirmation before a user is deleted."""
    return render_template("admin/delete_user.html", user=db.get_or_404(User, user_id))


@admin.post("/user/<int:user_id>/_delete")
@access(Permission.DELETE_USERS)
@sudo_required
def delete_user(user_id: int) -> Response:
    """Delete a user."""
    user = db.get_or_404(User, user_id)
    if not succeeds(lambda: user_actions.delete(user), f"{user.display_name} is deleted."):
        return _to_user(user_id)
    return redirect(url_for("admin.registered_users"))


def _with_reason(page: str, user_id: int, form: Form, action: Callable[[User, str], None], done: str) -> str | Response:
    user = db.get_or_404(User, user_id)
    if form.validate_on_submit():
        return carry_out(user_id, lambda user: action(user, form["reason"].data), done)
    return render_template(page, user=user, form=form)


def carry_out(user_id: int, action: Callable[[User], None], done: str) -> Response:
    """Run ``action`` on the user, commit, and redirect to the user's page with a message, which may hold ``{user}``."""
    user = db.get_or_404(User, user_id)
    succeeds(lambda: action(user), done.format(user=user))
    return _to_user(user_id)


def succeeds(action: Callable[[], object], done: str) -> bool:
    """Run ``action`` and commit, or roll back if it is refused; flash what happened."""
    try:
        action()
    except RefusedError as refusal:
        db.session.rollback()
        flash(str(refusal), "error")
        return False
    db.session.commit()
    flash(done, "success")
    return True


def _to_user(user_id: int) -> Response:
    return redirect(url_for("admin.user_info", user_id=user_id))
