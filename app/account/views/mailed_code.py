"""Logging in with a mailed link or code, where MAGIC_LINK is on."""

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import mailed_codes
from app.access import VISITORS, access
from app.account.blueprint import account
from app.account.factor_forms import MailedCodeForm, RequestCodeForm
from app.account.forms import ButtonForm
from app.account.mailed_links import mailed_link, refuse_link
from app.extensions import db, limiter
from app.kit.auth.guesses import count_action
from app.kit.auth.limits import client_address, from_config
from app.kit.http.redirects import safe_next
from app.models import Flow, User, Way, may_get_codes
from app.sign_in import Proof, enter


def _refuse_unless_on() -> None:
    if not current_app.config["MAGIC_LINK"]:
        abort(404)


@account.route("/email-code", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"])
def mailed_code_request() -> str | Response:
    """Mail a link and a code. The response and its work are the same for an unknown address."""
    _refuse_unless_on()
    form, back_to = RequestCodeForm(), safe_next(request.args.get("next"), "")
    if form.validate_on_submit():
        count_action("EMAIL_REQUEST_LIMIT", client_address())
        mailed_codes.ask_to_log_in(form.email.data, form.remember_me.data, back_to)
        db.session.commit()
        flash(f"If {form.email.data} may log in with a code, an email is on its way to it.", "info")
        return redirect(url_for("account.mailed_code", next=back_to or None))
    return render_template("account/mailed_code_request.html", form=form)


@account.route("/email-code/enter", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"])
def mailed_code() -> str | Response:
    """Log in with the code. Without a request of this browser that waits for one, say so.

    A script goes on from here when the link was used in another tab of this browser.
    """
    _refuse_unless_on()
    flow, form = mailed_codes.waiting(mailed_codes.LOGIN), MailedCodeForm()
    if flow is not None and form.validate_on_submit():
        user = mailed_codes.user_with_code(flow, form.code.data)
        if user is not None:
            return _log_in(flow, user)
        db.session.commit()
        flow = mailed_codes.waiting(mailed_codes.LOGIN)
        form.code.errors = ["This code is wrong."]
    go_on_to = safe_next(request.args.get("next"), url_for("main.index"))
    return render_template("account/mailed_code.html", form=form if flow else None, go_on_to=go_on_to)


def _log_in(flow: Flow, user: User) -> Response:
    remembered = flow.data["remembered"]
    response = None
    # Asked again: the user's role may have become one of administrators since.
    if may_get_codes(user) and mailed_codes.use_up(flow, user):
        response = enter(user, Proof(Way.MAILED_CODE, remembered=remembered))
    return response or _refuse()


def _refuse() -> Response:
    db.session.rollback()
    return refuse_link("account.mailed_code_request")


@mailed_link("/email-code/<token>")
def mailed_code_link(token: str) -> str | Response:
    """Offer to log in, in the browser that asked; in any other one, show the code to type there.

    Otherwise whoever makes others press the link in an email, or a mail scanner that does, would be logged in.
    """
    _refuse_unless_on()
    found = mailed_codes.read_link(token)
    if found is None:
        return _refuse()
    user, nonce = found
    flow = mailed_codes.waiting_here_for(user, nonce)
    if flow is None or current_user.is_authenticated:
        return render_template("account/mailed_code_link.html", code=mailed_codes.code_for(mailed_codes.LOGIN, nonce))
    if ButtonForm().validate_on_submit():
        return _log_in(flow, user)
    link = url_for("account.mailed_code_link", token=token, next=flow.data["next"] or None)
    return render_template("account/mailed_code_link.html", link=link, email=user.email)
