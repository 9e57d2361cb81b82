"""Setting, changing and removing a password, resetting a forgotten one, and locking out an intruder."""

from flask import flash, redirect, render_template, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import email
from app.access import VISITORS, access
from app.account.blueprint import account
from app.account.confirmation import confirmed_by_owner
from app.account.forms import ChangePasswordForm, NotMeForm, RequestResetPasswordForm, ResetPasswordForm
from app.account.mailed_links import is_somebody_else, mailed_link, offer_to_log_out, refuse_link
from app.account.recovery import take_back
from app.extensions import db, limiter
from app.kit.auth import known_browser
from app.kit.auth.guesses import count_action
from app.kit.auth.limits import client_address, from_config, signed_in_user
from app.kit.auth.sudo import sudo_required
from app.kit.auth.user_agent import request_details
from app.kit.db.database import lock_unchanged
from app.models import AuditEvent, LinkedIdentity, User, UserSession, Way, has_other_way_in
from app.models.recently_added import Added, recently_added, remove_recently_added
from app.sessions import current_session, forget_browser

# Replaces the token in the URL once the token is in the session.
TOKEN_IN_SESSION = "form"  # noqa: S105
SESSION_KEY = "reset_token"
ADDRESS_IS_TAKEN = (
    "Another account has this address by now. Log in to that one (or reset its password), move it to another "
    "address, then open the link again."
)


@account.route("/reset-password", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"])
def reset_password_request() -> str | Response:
    """Mail a reset link. The response and its work are the same for an unknown address."""
    form = RequestResetPasswordForm()
    if form.validate_on_submit() and form.spend_proof():
        count_action("EMAIL_REQUEST_LIMIT", client_address())
        _send_reset_link(form.email.data)
        db.session.commit()
        flash(f"If {form.email.data} has an account, an email with a link is on its way to it.", "info")
        return redirect(url_for("account.login"))
    return render_template("account/reset_password_request.html", form=form)


def _send_reset_link(address: str) -> None:
    user = User.with_email(address)
    if user is None:
        email.reset_password.send_to_nobody(address)
    else:
        email.reset_password.send(user)
    AuditEvent.record("password.reset_requested", subject=user)


@mailed_link("/reset-password/<token>")
def reset_password(token: str) -> str | Response:
    """Set a new password with a mailed link.

    The token moves from the URL into the session before the form is shown, because URLs end up in the
    browser's history, in logs and in Referer headers.
    """
    known_token = session.get(SESSION_KEY, "") if token == TOKEN_IN_SESSION else token
    user = User.with_token("reset_password", known_token)
    if user is None:
        return _refuse_reset()
    if is_somebody_else(user):
        # Logging out clears the session, so the link needs its token.
        return offer_to_log_out(user, url_for("account.reset_password", token=known_token))
    if token != TOKEN_IN_SESSION:
        session[SESSION_KEY] = token
        return redirect(url_for("account.reset_password", token=TOKEN_IN_SESSION), 303)
    form = ResetPasswordForm(user, recently_added(user))
    if not form.validate_on_submit():
        return render_template("account/reset_password.html", form=form)
    was_confirmed = user.confirmed
    if not user.redeem_password_reset(known_token, form.new_password.data):
        return _refuse_reset()
    if not was_confirmed:
        # Nobody knows whether the same person linked it: the link proves the address, and the sign-up did not.
        LinkedIdentity.unlink_all(user)
    UserSession.end_all(user)
    email.password_changed.send(user, removed=_remove(user, form), **request_details())
    AuditEvent.record("password.changed", subject=user)
    # An attacker who guesses passwords for this address must not use up the owner's attempts.
    known_browser.remember(user.uid, user.password_mark)
    db.session.commit()
    forget_browser()
    flash("Your password is changed. Log in with the new one.", "success")
    return redirect(url_for("account.login"))


def _remove(user: User, form: ResetPasswordForm | NotMeForm) -> str:
    labels = remove_recently_added(user, form.remove.data or ()) if "remove" in form else []
    for label in labels:
        AuditEvent.record("way_in.removed", subject=user, way=label)
    return ", ".join(labels)


def _refuse_reset() -> Response:
    session.pop(SESSION_KEY, None)
    return refuse_link("account.reset_password_request")


@account.route("/manage/change-password", methods=["GET", "POST"])
@confirmed_by_owner
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
def change_password() -> str | Response:
    """Set a new password after asking for the old one, if there is one, and log out every other browser."""
    user = current_session().user
    form = ChangePasswordForm()
    if form.validate_on_submit():
        user.password = form.new_password.data
        _keep_this_browser_only(user)
        email.password_changed.send(user, **request_details())
        AuditEvent.record("password.changed", subject=user)
        db.session.commit()
        flash("Your password is set. Other browsers are logged out.", "success")
        return redirect(url_for("account.manage"))
    can_remove = bool(user.password_hash) and has_other_way_in(user, Way.PASSWORD)
    return render_template("account/change_password.html", form=form, can_remove=can_remove)


@account.post("/manage/remove-password")
@sudo_required
def remove_password() -> Response:
    """Remove the password of a user who can log in without it, and log out every other browser."""
    user = current_session().user
    lock_unchanged(db.session, user)
    if not has_other_way_in(user, Way.PASSWORD):
        flash("Your password stays: without it, you could no longer log in.", "error")
        return redirect(url_for("account.change_password"))
    user.password_hash = None
    _keep_this_browser_only(user)
    email.password_removed.send(user, **request_details())
    AuditEvent.record("password.removed", subject=user)
    db.session.commit()
    flash("Your password is removed. Other browsers are logged out.", "success")
    return redirect(url_for("account.security"))


def _keep_this_browser_only(user: User) -> None:
    UserSession.end_all(user, except_id=current_session().id)
    known_browser.remember(user.uid, user.password_mark)


@mailed_link("/not-me/<token>")
def not_me(token: str) -> str | Response:
    """Log everyone out and mail a reset link, for an owner who did not do what a notice reports."""
    user = User.with_not_me_token(token)
    form = NotMeForm(user, _new_factors(user)) if user else None
    if form is not None and not form.validate_on_submit():
        return render_template("account/not_me.html", form=form)
    if user is None or form is None or not take_back(user, token):
        if User.with_not_me_token(token) is None:
            return refuse_link("account.reset_password_request", "Reset your password to be safe.")
        flash(ADDRESS_IS_TAKEN, "error")
        return redirect(url_for("account.reset_password_request"))
    _remove(user, form)
    db.session.commit()
    if current_user == user:
        forget_browser()
    flash(
        "Everyone is logged out and the old password no longer works. We sent you a link to set a new one.", "success"
    )
    return redirect(url_for("main.index" if current_user.is_authenticated else "account.login"))


def _new_factors(user: User) -> list[Added]:
    """Return what was added lately and stays: an intruder's passkey would log in before the password is reset."""
    return [added for added in recently_added(user) if not isinstance(added.row, LinkedIdentity)]
