"""Changing the email address of an account."""

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import email
from app.account.blueprint import account
from app.account.confirmation import confirmed_by_owner, is_by_owner
from app.account.forms import ButtonForm, ChangeEmailForm
from app.account.private_page import private_page
from app.account.views.registration import LINK_IS_DEAD
from app.account.wrong_account import is_somebody_else, offer_to_log_out
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
        if not is_by_owner(form):
            flash("Wrong password.", "form-error")
        elif form.email.data.lower() == current_user.email.lower():
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


@account.route("/manage/change-email/<token>", methods=["GET", "POST"])
@limiter.limit(from_config("LINK_LIMIT"))
@private_page
def change_email(token: str) -> str | Response:
    """Change the address with a mailed link. GET only shows a button, since mail scanners open links."""
    owner = User.with_token("change_email", token)
    if owner is None:
        return _refuse_change()
    if is_somebody_else(owner):
        return offer_to_log_out(owner, request.path)
    form = ButtonForm()
    if not form.validate_on_submit():
        return render_template("account/change_email.html", form=form)
    if not current_user.redeem_email_change(token):
        return _refuse_change()
    _tell_all_addresses()
    db.session.commit()
    flash("Your email address is changed.", "success")
    return redirect(url_for("account.manage"))


def _refuse_change() -> Response:
    flash(LINK_IS_DEAD, "error")
    return redirect(url_for("account.change_email_request"))


def _tell_all_addresses() -> None:
    for recipient in current_user.addresses_to_tell():
        email.email_changed.send(current_user, recipient=recipient, new_email=current_user.email, **request_details())
    AuditEvent.record("email.changed", subject=current_user)
