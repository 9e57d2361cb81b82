"""Setting an authenticator app up, and removing it."""

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access import after_set_up
from app.account import authenticator_app as apps
from app.account.blueprint import account
from app.account.factor_forms import FirstCodeForm
from app.extensions import db, limiter
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.auth.sudo import sudo_required
from app.models import AuthenticatorApp, second_factors


@account.route("/manage/authenticator-app", methods=["GET", "POST"])
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
@sudo_required
def authenticator_app() -> str | Response:
    """Show the secret of a new app, and ask for its first code. A POST without a code makes the secret."""
    if AuthenticatorApp.of(current_user):
        return redirect(url_for("account.security"))
    if not current_app.config["AUTHENTICATOR_APPS"]:
        abort(404)
    form, new = FirstCodeForm(), apps.begun()
    if request.method == "POST" and (new is None or "code" not in request.form):
        apps.begin()
        db.session.commit()
        if "code" in request.form:
            flash("That took too long. Set the app up with this new code.", "warning")
        return redirect(url_for("account.authenticator_app"))
    if new and form.validate_on_submit():
        problem = apps.finish(new, form.code.data)
        if problem is None:
            db.session.commit()
            return _next_step()
        form.code.errors = [problem]
    return render_template("account/authenticator_app.html", form=form, new=new)


def _next_step() -> Response:
    """Redirect to the recovery codes, without which the app is not asked for, or back if there are some."""
    if not second_factors(current_user):
        return redirect(url_for("account.recovery_codes"))
    flash("Your authenticator app is set up.", "success")
    return redirect(after_set_up(url_for("account.security")))


@account.post("/manage/authenticator-app/remove")
@sudo_required
def remove_authenticator_app() -> Response:
    """Remove the app; with the last second factor also the recovery codes."""
    if apps.remove():
        db.session.commit()
        flash("Your authenticator app is removed.", "success")
    return redirect(url_for("account.security"))
