"""Agreeing to documents that have changed."""

from flask import flash, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access import UNCONFIRMED, access
from app.account.blueprint import account
from app.account.forms import AgreeForm
from app.extensions import db, limiter
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.http.redirects import redirect_to_next
from app.models import AuditEvent, Consent


@account.route("/agree", methods=["GET", "POST"])
@access(UNCONFIRMED)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
def agree() -> str | Response:
    """Ask for consent to documents that have changed, then redirect back to what was interrupted."""
    form = AgreeForm()
    if not form.documents:
        return redirect_to_next(url_for("main.index"))
    if not form.validate_on_submit():
        return render_template("account/agree.html", form=form)
    Consent.record(current_user.id, "asked again", form.documents)
    titles = ", ".join(document.title for document in form.documents)
    AuditEvent.record("consent.given", subject=current_user, documents=titles)
    db.session.commit()
    flash("Thank you for agreeing. You can go on where you were.", "success")
    return redirect_to_next(url_for("main.index"))
