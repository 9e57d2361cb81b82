"""Signing in and out, and giving the password again before something that matters."""

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from app import email
from app.account import account
from app.account.access import for_unconfirmed_too, for_visitors
from app.account.forms import ConfirmPasswordForm, LoginForm
from app.account.newcomer import newcomer_email
from app.account.origin import request_origin
from app.extensions import db, limiter
from app.kit.database import insert_unless_taken, utc_now
from app.kit.limits import count_as_failure, failed, signed_in_user, typed_email
from app.kit.passwords import verify_password
from app.kit.redirects import redirect_to_next
from app.models import AuditEvent, KnownDevice, User
from app.sessions import current_session, log_in, log_out


@account.route("/login", methods=["GET", "POST"])
@for_visitors
@limiter.limit("30/minute", methods=["POST"])
@limiter.limit("10/minute", methods=["POST"], deduct_when=failed)
@limiter.limit("5 per 5 minutes", methods=["POST"], key_func=typed_email, deduct_when=failed)
def login() -> str | Response:
    """Log in; a wrong password, an unknown address, a disabled and an unconfirmed account get the same answer."""
    form = LoginForm()
    if form.validate_on_submit():
        user = _user_with(form.email.data, form.password.data)
        if user is not None:
            _greet_new_device(user)
            log_in(user, remembered=form.remember_me.data)
            flash("You are now logged in. Welcome back!", "success")
            return redirect_to_next(url_for("main.index"))
        count_as_failure()
        flash("Wrong email address or password.", "form-error")
    return render_template("account/login.html", form=form, newcomer_email=newcomer_email())


def _user_with(typed_email: str, password: str) -> User | None:
    """Answer who may log in with these, after one query and one hash whatever the outcome."""
    user = User.with_email(typed_email)
    if user is None or not user.may_log_in:
        verify_password(None, password)
        return None
    return user if user.verify_password(password) else None


def _greet_new_device(user: User) -> None:
    """Write a notice when the browser is new to a user who has others."""
    origin = request_origin()
    is_first = db.session.scalar(select(KnownDevice.id).where(KnownDevice.user_id == user.id).limit(1)) is None
    is_new = insert_unless_taken(db.session(), KnownDevice, user_id=user.id, label=origin["browser"])
    if is_new and not is_first:
        email.new_device.send(user, **origin)
    AuditEvent.record("user.logged_in", subject=user, actor=user, browser=origin["browser"])


@account.post("/logout")
@for_unconfirmed_too
def logout() -> Response:
    """Log out, here and in every copy of this browser's cookie."""
    log_out()
    flash("You are logged out.", "info")
    response = redirect(url_for("main.index"))
    # Not "cookies": the next page's message travels in one.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@account.route("/confirm-password", methods=["GET", "POST"])
@for_unconfirmed_too
@limiter.limit("5/minute", methods=["POST"], key_func=signed_in_user)
def confirm_password() -> str | Response:
    """Ask for the password before something that matters, then lead back to it."""
    form = ConfirmPasswordForm()
    if form.validate_on_submit():
        if current_user.verify_password(form.password.data):
            current_session().reauthenticated_at = utc_now()
            db.session.commit()
            return redirect_to_next(url_for("account.manage"))
        flash("Wrong password.", "form-error")
    return render_template("account/confirm_password.html", form=form, asks_again="next" in request.args)
