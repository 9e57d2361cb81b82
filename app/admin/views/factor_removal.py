"""Removing the second factors of a user who is locked out."""

from flask import render_template
from werkzeug.wrappers import Response

from app.access import access
from app.admin import user_actions
from app.admin.blueprint import admin
from app.admin.forms import RemoveFactorsForm
from app.admin.views.user_changes import carry_out
from app.extensions import db
from app.kit.auth.sudo import sudo_required
from app.models import Permission, User


@admin.route("/user/<int:user_id>/remove-second-factors", methods=["GET", "POST"])
@access(Permission.REMOVE_FACTORS)
@sudo_required
def remove_second_factors(user_id: int) -> str | Response:
    """Remove all second factors of a user after a day, after asking for the reason."""
    user, form = db.get_or_404(User, user_id), RemoveFactorsForm()
    if form.validate_on_submit():
        done = "{user.email} gets an email, and can stop it."
        return carry_out(user_id, lambda user: user_actions.remove_factors(user, form.reason.data), done)
    return render_template("admin/remove_second_factors.html", user=user, form=form)


@admin.post("/user/<int:user_id>/keep-second-factors")
@access(Permission.REMOVE_FACTORS)
@sudo_required
def keep_second_factors(user_id: int) -> Response:
    """Stop the removal."""
    return carry_out(user_id, user_actions.keep_factors, "The second factors stay.")
