"""Passkeys: logging in, the second step and sudo with one; adding, renaming and removing them.

A browser posts a form twice. The first time without the field "credential": the response is a challenge; with
the second one it sends the answer. Without scripts there is no button for this.
"""

from flask import Response as FlaskResponse
from flask import abort, current_app, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import passkeys
from app.access import UNCONFIRMED, VISITORS, access, after_set_up, is_set_up_demanded
from app.account.blueprint import account
from app.account.confirmation import note_confirmation
from app.account.factor_forms import PasskeyForm
from app.extensions import db, limiter
from app.kit.auth import known_browser
from app.kit.auth.guesses import counted_guess, passkey_limits
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.auth.sudo import sudo_required
from app.kit.auth.user_agent import browser_label
from app.kit.auth.webauthn import Json
from app.kit.http.redirects import redirect_to_next, url_with_next
from app.models import Passkey, User, Way
from app.sessions import current_session
from app.sign_in import Proof, begun, enter, finish

REFUSED = "This passkey did not work. Try again, or choose another way."
NOT_ADDED = "This passkey could not be added. Try again."


@account.post("/login/passkey")
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), key_func=known_browser.user_or_network)
def login_with_passkey() -> Response:
    """Log in. The response is the same for an unknown passkey, a wrong signature and a disabled account."""
    if not (answer := _answer()):
        return _challenge(passkeys.ask(passkeys.LOGIN))
    if passkey := _proven(passkeys.LOGIN, answer):
        # The signature says that the device checked who holds it: one factor is the device, the other one what it
        # asked for.
        remembered = bool(request.form.get("remember_me"))
        if response := enter(passkey.user, Proof(Way.PASSKEY, is_complete=True, remembered=remembered)):
            return response
    return _refuse(url_with_next("account.login"))


@account.post("/second-factor/passkey")
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"))
def second_factor_passkey() -> Response:
    """Finish a login that waits for its second factor."""
    flow, answer = begun(), _answer()
    if flow is None or flow.user is None:
        return redirect(url_for("account.second_factor"))
    user = flow.user
    if not answer:
        return _challenge(passkeys.ask(passkeys.SECOND_STEP, user))

    def check() -> Way | None:
        return Way.PASSKEY if passkeys.proven(passkeys.SECOND_STEP, answer, user) else None

    return finish(flow, user, check) or _refuse(url_for("account.second_factor"))


@account.post("/confirm-password/passkey")
@access(UNCONFIRMED)
@limiter.limit(from_config("FORM_LIMIT"), key_func=signed_in_user)
def confirm_passkey() -> Response:
    """Take a passkey of the current user in place of the password before a sensitive action."""
    user = current_session().user
    if not (answer := _answer()):
        return _challenge(passkeys.ask(passkeys.SUDO, user))
    if not _proven(passkeys.SUDO, answer, user):
        return _refuse(url_with_next("account.confirm_password"))
    note_confirmation()
    current_session().add_way(Way.PASSKEY, has_two_factors=True)
    db.session.commit()
    return redirect_to_next(url_for("account.manage"))


@account.route("/passkeys/new", methods=["GET", "POST"])
@sudo_required
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"], key_func=signed_in_user)
def new_passkey() -> str | Response:
    """Add a passkey, under a name that tells where it was made."""
    user, answer = current_session().user, _answer()
    form = PasskeyForm(data={"name": browser_label(request.user_agent.string)})
    if not form.validate_on_submit():
        return render_template("account/new_passkey.html", form=form)
    if not answer:
        return _challenge(passkeys.ask_for_new(user))
    is_added = passkeys.add(user, current_session(), form.name.data, answer)
    db.session.commit()
    if not is_added:
        form.form_errors.append(NOT_ADDED)
        return render_template("account/new_passkey.html", form=form)
    flash("Your passkey is saved. Log in with it next time.", "success")
    # Where a second factor is demanded, it counts from the moment on at which recovery codes are saved.
    needs_codes = is_set_up_demanded(current_session())
    return redirect(url_for("account.recovery_codes") if needs_codes else after_set_up(url_for("account.security")))


@account.route("/passkeys/<int:passkey_id>/rename", methods=["GET", "POST"])
def rename_passkey(passkey_id: int) -> str | Response:
    """Rename one of one's passkeys."""
    passkey = _own(passkey_id)
    form = PasskeyForm(obj=passkey)
    if form.validate_on_submit():
        passkey.name = form.name.data
        db.session.commit()
        flash("The new name is saved.", "success")
        return redirect(url_for("account.security"))
    return render_template("account/rename_passkey.html", form=form)


@account.post("/passkeys/<int:passkey_id>/remove")
@sudo_required
def remove_passkey(passkey_id: int) -> Response:
    """Remove one of one's passkeys, unless it is the last way in."""
    if passkeys.remove(current_session().user, _own(passkey_id)):
        db.session.commit()
        flash("The passkey is removed. Delete it on your device, too.", "success")
    else:
        db.session.rollback()
        flash("This is your only way to log in. Add another one first, such as a password.", "error")
    return redirect(url_for("account.security"))


def _answer() -> str:
    """Return what the browser sends the second time, or "" the first time."""
    if not current_app.config["PASSKEYS"]:
        abort(404)
    return request.form.get("credential", "")


def _challenge(options: Json) -> FlaskResponse:
    db.session.commit()
    return jsonify(options)


def _proven(use: str, answer: str, user: User | None = None) -> Passkey | None:
    return counted_guess(passkey_limits(), lambda: passkeys.proven(use, answer, user))


def _refuse(page: str) -> Response:
    # The challenge is used up.
    db.session.commit()
    flash(REFUSED, "error")
    return redirect(page)


def _own(passkey_id: int) -> Passkey:
    own = Passkey.of(current_session().user)
    return next((passkey for passkey in own if passkey.id == passkey_id), None) or abort(404)
