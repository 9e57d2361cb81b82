"""Making recovery codes: they are shown until their owner says that they are saved."""

from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access import after_set_up
from app.account import recovery_codes as codes
from app.account.blueprint import account
from app.account.factor_forms import SavedCodesForm
from app.account.private_page import private_page
from app.extensions import db, limiter
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.auth.sudo import sudo_required
from app.kit.db.database import utc_now
from app.kit.pages.moments import exact_time
from app.models import RecoveryCode
from app.second_factors import has_factor


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
        codes.begin()
        db.session.commit()
        return redirect(url_for("account.recovery_codes"))
    new = codes.begun()
    form = SavedCodesForm(data={"shown": codes.name_of(new[0]) if new else ""})
    if form.validate_on_submit():
        if new is None or form.shown.data != codes.name_of(new[0]) or not codes.save(*new):
            flash("Codes were saved or made anew already. Make new ones if they are not those you have.", "warning")
            return redirect(url_for("account.recovery_codes"))
        db.session.commit()
        flash("Your recovery codes are saved. Your account is protected by a second factor.", "success")
        return redirect(after_set_up(url_for("account.security")))
    return render_template(
        "account/recovery_codes.html", form=form, codes=new[1] if new else [], left=RecoveryCode.left(current_user)
    )


@account.get("/manage/recovery-codes/download")
@sudo_required
@private_page
def download_recovery_codes() -> Response:
    """Return the new codes as a file."""
    new = codes.begun() or abort(404)
    site = f"{current_app.config['APP_NAME']} ({current_app.config['BASE_URL']})"
    made = f"Made on {exact_time(utc_now(), current_user.zone)}. Each works once; those made before are void."
    lines = [f"Recovery codes of {current_user.email} for {site}", made, "", *new[1], ""]
    response = make_response("\n".join(lines))
    response.mimetype = "text/plain"
    response.headers["Content-Disposition"] = "attachment; filename=recovery-codes.txt"
    return response
