"""Logging in and out, and confirming who one is before a sensitive action."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import mailed_codes
from app.access import UNCONFIRMED, VISITORS, access
from app.account.blueprint import account
from app.account.confirmation import note_confirmation, way_to_confirm
from app.account.factor_forms import MailedCodeForm
from app.account.forms import ConfirmPasswordForm, LoginForm
from app.extensions import db, limiter
from app.kit.auth import known_browser
from app.kit.auth.guesses import count_action, counted_guess, login_limits
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.auth.passwords import verify_password
from app.kit.forms.form import Form
from app.kit.http.redirects import redirect_to_next, safe_next, url_with_next
from app.models import Passkey, User, Way
from app.newcomer import newcomer_email
from app.sessions import current_session, log_out
from app.sign_in import Proof, enter


@account.route("/login", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=known_browser.user_or_network)
def login() -> str | Response:
    """Log in. The response is the same for a wrong password and an unknown, disabled or unconfirmed account."""
    form = LoginForm()
    if form.validate_on_submit():
        count_action("LOGIN_LIMIT", known_browser.user_or_network())
        user = _user_with(form.email.data, form.password.data)
        if user and (response := enter(user, Proof(Way.PASSWORD, remembered=form.remember_me.data))):
            return response
        flash("Wrong email address or password.", "form-error")
    return render_template("account/login.html", form=form, newcomer_email=newcomer_email())


def _user_with(typed_email: str, password: str) -> User | None:
    """Return the user who may log in with these, or None. The queries and hashes are the same in every case."""
    user = User.with_email(typed_email)
    browser = known_browser.recognize(user.uid, user.password_mark) if user else None
    return counted_guess(login_limits(browser), lambda: _verified(user, password))


def _verified(user: User | None, password: str) -> User | None:
    """Return ``user`` if the password is right and the user may log in, else None."""
    if user is None or not user.may_log_in:
        # Not the user's own hash: rehashing an old one takes longer, and would reveal that the password was right.
        verify_password(None, password)
        return None
    return user if user.verify_password(password) else None


@account.post("/logout")
@access(UNCONFIRMED)
def logout() -> Response:
    """Log out by deleting the session's row, so that copies of the cookie stop working too.

    The form's ``next`` is a mailed link that waits for another user.
    """
    log_out()
    flash("You are logged out.", "info")
    response = redirect(safe_next(request.form.get("next"), url_for("main.index")))
    # Not "cookies": one of them carries the message for the next page.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@account.route("/confirm-password", methods=["GET", "POST"])
@access(UNCONFIRMED)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
def confirm_password() -> str | Response:
    """Ask for the password, or what the user has instead, before a sensitive action; then redirect back to it."""
    user = current_session().user
    way = way_to_confirm(user)
    form = _form_for(way)
    if form is not None and form.validate_on_submit():
        if way is Way.PASSWORD or mailed_codes.confirms(user, form["code"].data):
            note_confirmation()
            db.session.commit()
            return redirect_to_next(url_for("account.manage"))
        db.session.commit()  # the tries
        form = _form_for(way)
        flash("This code is wrong.", "form-error" if form else "error")
    return render_template("account/confirm_password.html", form=form, way=way, passkeys=Passkey.of(user))


def _form_for(way: Way | None) -> Form | None:
    if way is Way.PASSWORD:
        return ConfirmPasswordForm()
    is_awaited = way is Way.MAILED_CODE and mailed_codes.waiting(mailed_codes.SUDO)
    return MailedCodeForm() if is_awaited else None


@account.post("/confirm-password/code")
@access(UNCONFIRMED)
@limiter.limit(from_config("FORM_LIMIT"), key_func=signed_in_user)
def sudo_code() -> Response:
    """Mail a code to a user who has nothing else to confirm who they are."""
    user = current_session().user
    if way_to_confirm(user) is Way.MAILED_CODE:
        count_action("SUDO_CODE_LIMIT", signed_in_user())
        mailed_codes.ask_to_confirm(user)
        db.session.commit()
        flash(f"An email with a code is on its way to {user.email}.", "info")
    return redirect(url_with_next("account.confirm_password"))
