"""Changing the email address of an account."""

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import email
from app.access import USERS
from app.account.blueprint import account
from app.account.confirmation import confirmed_by_owner
from app.account.forms import ButtonForm, ChangeEmailForm
from app.account.mailed_links import is_somebody_else, mailed_link, offer_to_log_out, refuse_link
from app.account.recovery import tell_all_addresses
from app.extensions import db, limiter
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.auth.user_agent import request_details
from app.models import AuditEvent, User


@account.route("/manage/change-email", methods=["GET", "POST"])
@confirmed_by_owner
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
def change_email_request() -> str | Response:
    """Mail a link to the new address and a notice to the old one. The response is the same for a taken address."""
    form = ChangeEmailForm()
    if form.validate_on_submit():
        if form.email.data.lower() == current_user.email.lower():
            form.email.errors = ["This is your address already."]
        else:
            _send_change_link(form.email.data)
            db.session.commit()
            flash(f"We sent an email to {form.email.data}. Open the link in it to confirm the change.", "info")
            return redirect(url_for("account.manage"))
    return render_template("account/change_email_request.html", form=form)


def _send_change_link(new_email: str) -> None:
    """Queue the same number of emails for a free and a taken address. The owner of a taken one is notified."""
    owner = User.with_email(new_email)
    if owner is None:
        email.change_email.send(current_user, new_email=new_email)
    else:
        email.already_registered.send(owner)
    email.email_change_requested.send(current_user, new_email=new_email, **request_details())
    AuditEvent.record("email.change_requested", subject=current_user)


@mailed_link("/manage/change-email/<token>", USERS)
def change_email(token: str) -> str | Response:
    """Change the address with a mailed link."""
    owner = User.with_token("change_email", token)
    if owner is None:
        return refuse_link("account.change_email_request")
    if is_somebody_else(owner):
        return offer_to_log_out(owner, request.path)
    form = ButtonForm()
    if not form.validate_on_submit():
        return render_template("account/change_email.html", form=form)
    if not current_user.redeem_email_change(token):
        return refuse_link("account.change_email_request")
    tell_all_addresses(current_user)
    AuditEvent.record("email.changed", subject=current_user)
    db.session.commit()
    flash("Your email address is changed.", "success")
    return redirect(url_for("account.manage"))
