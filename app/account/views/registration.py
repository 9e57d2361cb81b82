"""Signing up, confirming the address, and accepting an invitation."""

from dataclasses import asdict

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access import ANYONE, NEWCOMERS, VISITORS, access
from app.account.blueprint import account
from app.account.forms import ButtonForm, CreatePasswordForm, RegistrationForm
from app.account.mailed_links import is_somebody_else, mailed_link, offer_to_log_out, refuse_link
from app.account.sign_up import register as register_user
from app.account.sign_up import send_again
from app.email import confirm as confirmation
from app.extensions import db, limiter
from app.kit.auth.email_address import EMAIL_MAX_LENGTH
from app.kit.auth.guesses import count_action
from app.kit.auth.limits import client_address, from_config
from app.kit.auth.passwords import assess, personal_words
from app.models import AuditEvent, Consent, User, Way
from app.newcomer import forget_newcomer, newcomer_email, remember_newcomer
from app.sign_in import Proof, enter


@account.route("/register", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"])
def register() -> str | Response:
    """Sign up. The response is the same whether or not the address has an account."""
    form = RegistrationForm()
    if form.validate_on_submit():
        count_action("REGISTER_LIMIT", client_address())
        if register_user(form):
            db.session.commit()
            remember_newcomer(form.email.data)
            return redirect(url_for("account.unconfirmed"))
    return render_template("account/register.html", form=form)


@account.post("/password-strength")
@access(ANYONE)
@limiter.limit(from_config("PASSWORD_METER_LIMIT"))
def password_strength() -> dict[str, object]:
    """Return the strength of a password as JSON, by the same rule that the form applies."""
    strength = assess(request.form.get("password", ""), personal_words(*_typed_and_known_texts()))
    return {**asdict(strength), "acceptable": strength.acceptable}


def _typed_and_known_texts() -> list[str]:
    names = ("first_name", "last_name", "email")
    # The check searches the password for every word, so a long text here would take much time.
    texts = [request.form.get(name, "")[:EMAIL_MAX_LENGTH] for name in names]
    if current_user.is_authenticated:
        texts += [getattr(current_user, name) for name in names]
    return texts


@account.get("/unconfirmed")
@access(NEWCOMERS)
def unconfirmed() -> str | Response:
    """Show the address that the confirmation went to, and offer to send it again.

    Unconfirmed users are redirected here. Anonymous visitors see the address of the sign-up from their
    browser's session, so the page is the same for a free and a taken address.
    """
    if _is_confirmed():
        return redirect(url_for("main.index"))
    return render_template("account/unconfirmed.html", email=_email_to_confirm())


@account.post("/confirm-account")
@access(NEWCOMERS)
@limiter.limit(from_config("EMAIL_REQUEST_LIMIT"))
def confirm_request() -> Response:
    """Send the email of the sign-up again."""
    if _is_confirmed():
        flash("Your account is confirmed already.", "info")
        return redirect(url_for("main.index"))
    if current_user.is_authenticated:
        confirmation.send(current_user)
    else:
        send_again(_email_to_confirm())
    db.session.commit()
    flash(f"Another email to {_email_to_confirm()} is on its way. It may take a few minutes.", "info")
    return redirect(url_for("account.unconfirmed"))


def _is_confirmed() -> bool:
    return current_user.is_authenticated and bool(current_user.confirmed)


def _email_to_confirm() -> str:
    return str(current_user.email) if current_user.is_authenticated else newcomer_email() or ""


@mailed_link("/confirm-account/<token>")
def confirm(token: str) -> str | Response:
    """Confirm the account."""
    user = User.with_token("confirm", token)
    if user is None:
        return _refuse_confirmation()
    form = ButtonForm()
    if not form.validate_on_submit():
        return render_template("account/confirm.html", form=form, email=user.email)
    if not user.redeem_confirmation(token):
        return _refuse_confirmation()
    AuditEvent.record("user.confirmed", subject=user)
    db.session.commit()
    forget_newcomer(user)
    if is_somebody_else(user):
        flash(f"{user.email} is confirmed. You are still logged in as {current_user.email}.", "success")
        return redirect(url_for("main.index"))
    if current_user.is_authenticated:
        flash("Your account is confirmed. Welcome!", "success")
        return redirect(url_for("main.index"))
    way = "with the password that you chose" if user.password_hash else "the way you signed up"
    flash(f"Your account is confirmed. Log in {way}.", "success")
    return redirect(url_for("account.login"))


def _refuse_confirmation() -> Response:
    if _is_confirmed():
        flash("Your account is confirmed already.", "info")
        return redirect(url_for("main.index"))
    can_ask = current_user.is_authenticated or newcomer_email()
    advice = "If you have not confirmed yet, ask for a new one or sign up again."
    return refuse_link("account.unconfirmed" if can_ask else "account.login", advice)


@mailed_link("/join-from-invite/<int:user_id>/<token>")
def join_from_invite(user_id: int, token: str) -> str | Response:
    """Set the first password of an invited user, which also confirms the account, and log the user in."""
    user = User.with_token("invite", token)
    if user is None or user.id != user_id:
        return _refuse_invitation()
    if is_somebody_else(user):
        return offer_to_log_out(user, request.path)
    form = CreatePasswordForm(user)
    if not form.validate_on_submit():
        return render_template("account/join_from_invite.html", form=form, user=user)
    if not user.redeem_invitation(token, form.password.data):
        return _refuse_invitation()
    Consent.record(user.id, "invitation", form.documents)
    AuditEvent.record("user.joined", subject=user)
    if not user.may_log_in:  # disabled since the invitation
        db.session.commit()
        flash("Your password is set.", "success")
        return redirect(url_for("account.login"))
    greeting = "Welcome! Your password is set, and you are logged in."
    return enter(user, Proof(Way.INVITATION, greeting=greeting)) or _refuse_invitation()


def _refuse_invitation() -> Response:
    return refuse_link("account.login", "Ask for a new invitation, or log in if you have joined.")
