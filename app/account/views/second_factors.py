"""Second factors: the second step of a login, setting up an authenticator app and recovery codes, removing the app."""

from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access import VISITORS, access, after_set_up
from app.account.blueprint import account
from app.account.factor_forms import FirstCodeForm, SavedCodesForm, SecondFactorForm
from app.account.mailed_links import private_page
from app.account.new_factors import NewApp, NewCodes, new_codes, remove_app
from app.extensions import db, limiter
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.auth.sudo import sudo_required
from app.kit.auth.totp import new_secret
from app.kit.pages.moments import exact_time
from app.models import AuthenticatorApp, RecoveryCode, User, Way, second_factors
from app.second_factors import has_factor, problem_with, use_code
from app.sign_in import begun, finish


@account.route("/second-factor", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"])
def second_factor() -> str | Response:
    """Ask for a second factor after the first one. Without a login that waits for it, say so."""
    flow, form = begun(), SecondFactorForm()
    if flow is None or flow.user is None:
        return _second_step(None, None)
    user = flow.user
    if form.validate_on_submit():
        typed = form.code.data
        if response := finish(flow, user, lambda: use_code(user, typed)):
            return response
        if begun() is None:
            return _second_step(None, None)
        form.code.errors = [problem_with(user, typed)]
    return _second_step(form, user)


def _second_step(form: SecondFactorForm | None, user: User | None) -> str:
    ways = second_factors(user) if user else frozenset()
    if form and Way.APP not in ways:
        form.code.label.text = "Recovery code"
    return render_template("account/second_factor.html", form=form, ways=ways)


@account.route("/manage/authenticator-app", methods=["GET", "POST"])
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
@sudo_required
def authenticator_app() -> str | Response:
    """Show the secret of a new app, and ask for its first code. A POST without a code makes the secret."""
    if AuthenticatorApp.of(current_user):
        return redirect(url_for("account.security"))
    if not current_app.config["AUTHENTICATOR_APPS"]:
        abort(404)
    form, new = FirstCodeForm(), NewApp.begun()
    if request.method == "POST" and (new is None or "code" not in request.form):
        NewApp.begin(new_secret())
        db.session.commit()
        if "code" in request.form:
            flash("That took too long. Set the app up with this new code.", "warning")
        return redirect(url_for("account.authenticator_app"))
    if new and form.validate_on_submit():
        problem = new.finish(form.code.data)
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
    if remove_app():
        db.session.commit()
        flash("Your authenticator app is removed.", "success")
    return redirect(url_for("account.security"))


@account.route("/manage/recovery-codes", methods=["GET", "POST"])
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
@sudo_required
@private_page
def recovery_codes() -> str | Response:
    """Show new codes until they are saved. A POST that does not say so makes new ones."""
    if not has_factor(current_user):
        flash("Recovery codes replace a passkey or an app that is lost. Set one of these up first.", "info")
        return redirect(url_for("account.security"))
    if request.method == "POST" and "saved" not in request.form:
        NewCodes.begin(new_codes())
        db.session.commit()
        return redirect(url_for("account.recovery_codes"))
    new = NewCodes.begun()
    form = SavedCodesForm(data={"shown": new.name if new else ""})
    if form.validate_on_submit():
        if new is None or form.shown.data != new.name or not new.save():
            flash("Codes were saved or made anew already. Make new ones if they are not those you have.", "warning")
            return redirect(url_for("account.recovery_codes"))
        db.session.commit()
        flash("Your recovery codes are saved. Your account is protected by a second factor.", "success")
        return redirect(after_set_up(url_for("account.security")))
    left = RecoveryCode.left(current_user)
    return render_template("account/recovery_codes.html", form=form, codes=new.codes if new else [], left=left)


@account.get("/manage/recovery-codes/download")
@sudo_required
@private_page
def download_recovery_codes() -> Response:
    """Return the new codes as a file."""
    new = NewCodes.begun() or abort(404)
    site = f"{current_app.config['APP_NAME']} ({current_app.config['BASE_URL']})"
    made = f"Made on {exact_time(new.made_at, current_user.zone)}. Each works once; those made before are void."
    lines = [f"Recovery codes of {current_user.email} for {site}", made, "", *new.codes, ""]
    response = make_response("\n".join(lines))
    response.mimetype = "text/plain"
    response.headers["Content-Disposition"] = "attachment; filename=recovery-codes.txt"
    return response
