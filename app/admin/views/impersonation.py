"""Looking at the site as another user, and going back."""

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import impersonation
from app.access import USERS, access
from app.admin import user_actions
from app.admin.blueprint import admin
from app.admin.forms import ImpersonateForm
from app.admin.views.user_changes import succeeds
from app.extensions import db
from app.kit.auth.sudo import sudo_required
from app.models import Permission, User


@admin.route("/user/<int:user_id>/impersonate", methods=["GET", "POST"])
@access(Permission.IMPERSONATE)
@sudo_required
def impersonate(user_id: int) -> str | Response:
    """Look at the site as a user, after asking for the reason."""
    user, form = db.get_or_404(User, user_id), ImpersonateForm()
    if not impersonation.may_impersonate(current_user, user):
        flash(user_actions.NOT_AS_THIS_USER, "error")
        return redirect(url_for("admin.user_info", user_id=user_id))
    done = f"You see the site as {user.display_name} does."
    if form.validate_on_submit() and succeeds(lambda: user_actions.impersonate(user, form.reason.data), done):
        return redirect(url_for("main.index"))
    return render_template("admin/impersonate.html", user=user, form=form)


@admin.post("/stop-impersonating")
@access(USERS)
def stop_impersonating() -> Response:
    """Go back to one's own account. Whoever looks at the site as a user may not open other pages of this area."""
    user_id = impersonation.end()
    if user_id is None:
        return redirect(url_for("main.index"))
    flash("You see the site as yourself again.", "success")
    return redirect(url_for("admin.user_info", user_id=user_id))
