"""The data of an account: showing, exporting and deleting it."""

from flask import Response as FlaskResponse
from flask import abort, current_app, flash, make_response, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import email
from app.account.blueprint import account
from app.account.confirmation import confirmed_by_owner
from app.account.forms import DeleteAccountForm
from app.extensions import db, limiter
from app.jobs import export_data
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.auth.sudo import sudo_required
from app.kit.db.database import utc_now
from app.models import AuditEvent, Consent, DataExport, delete_user
from app.models.user import lock_administrator_roles
from app.sessions import forget_browser

EXPORT_REFRESH_SECONDS = 5


@account.get("/manage")
@account.get("/manage/info")
def manage() -> str:
    """Show the account's details."""
    return render_template("account/manage.html")


@account.get("/manage/export")
def exports() -> FlaskResponse:
    """List the exports that are ready or in progress. While one is being written, the page reloads by itself.

    Below, show what the user agreed to.
    """
    rows = DataExport.offered_to(current_user)
    reloads = any(_is_being_written(export) for export in rows)
    consents = Consent.of(current_user)
    response = make_response(render_template("account/exports.html", exports=rows, reloads=reloads, consents=consents))
    if reloads:
        response.headers["Refresh"] = str(EXPORT_REFRESH_SECONDS)
    return response


def _is_being_written(export: DataExport) -> bool:
    # Without a worker, it may take until tomorrow.
    return export.ready_at is None and utc_now() - export.created_at < current_app.config["EXPORT_WATCH_PERIOD"]


@account.post("/manage/export")
@sudo_required
@limiter.limit(from_config("EXPORT_LIMIT"), key_func=signed_in_user)
def request_export() -> Response:
    """Enqueue a job that writes an export. The user gets an email when it is ready."""
    export = DataExport(user_id=current_user.id)
    db.session.add(export)
    db.session.flush()
    export_data.enqueue(export.id)
    AuditEvent.record("data.export_requested", subject=current_user)
    db.session.commit()
    flash("Your data is being collected. We send you an email when it is ready.", "info")
    return redirect(url_for("account.exports"))


@account.get("/manage/export/<int:export_id>")
@sudo_required
def download_export(export_id: int) -> FlaskResponse:
    """Return an export as a JSON file, to its owner only."""
    export = DataExport.offered_with_id(current_user, export_id)
    if export is None or export.content is None:
        abort(404)
    response = FlaskResponse(export.content, mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=f"data-{export.created_at:%Y-%m-%d}.json")
    return response


@account.route("/manage/delete", methods=["GET", "POST"])
@confirmed_by_owner
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
def delete_account() -> str | Response:
    """Delete one's own account after asking who it is. The last administrator cannot."""
    form = DeleteAccountForm()
    if form.validate_on_submit():
        if not _delete_current_user():
            flash("You are the last administrator. Make somebody else one first.", "form-error")
        else:
            forget_browser()
            flash("Your account is deleted.", "info")
            return redirect(url_for("main.index"))
    return render_template(
        "account/delete_account.html", form=form, is_last_administrator=current_user.is_last_administrator()
    )


def _delete_current_user() -> bool:
    """Delete the current user, and return False if this is the last administrator."""
    user = current_user._get_current_object()
    lock_administrator_roles()
    if user.is_last_administrator():
        db.session.rollback()
        return False
    email.account_deleted.send(user, full_name=user.full_name())
    AuditEvent.record("user.deleted_own_account")
    delete_user(user)
    db.session.commit()
    return True
