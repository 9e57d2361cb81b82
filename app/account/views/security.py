"""What protects an account, in one list."""

from flask import current_app, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import factor_removals
from app.access import is_set_up_demanded
from app.account.blueprint import account
from app.account.forms import ButtonForm
from app.account.mailed_links import mailed_link, refuse_link
from app.account.providers import label_of
from app.extensions import db
from app.models import (
    AuditEvent,
    AuthenticatorApp,
    FactorRemoval,
    LinkedIdentity,
    Passkey,
    RecoveryCode,
    UserSession,
    second_factors,
)
from app.second_factors import has_factor
from app.sessions import current_session

SHOWN_LOGINS = 5


@account.get("/manage/security")
def security() -> str:
    """List what protects the account, each with its state and what can be done about it."""
    return render_template(
        "account/security.html",
        app=AuthenticatorApp.of(current_user),
        offers_apps=current_app.config["AUTHENTICATOR_APPS"],
        has_factor=has_factor(current_user),
        is_on=bool(second_factors(current_user)),
        removal=FactorRemoval.of(current_user),
        is_demanded=is_set_up_demanded(current_session()),
        codes_left=RecoveryCode.left(current_user),
        identities=LinkedIdentity.of(current_user),
        provider_label=label_of,
        passkeys=Passkey.of(current_user),
        sessions=UserSession.living(current_user),
        logins=AuditEvent.logins_of(current_user, SHOWN_LOGINS),
    )


@mailed_link("/keep-second-factors/<token>")
def keep_second_factors(token: str) -> str | Response:
    """Stop an administrator who is about to remove the second factors, with a mailed link."""
    removal, form = FactorRemoval.with_token(token), ButtonForm()
    page = "account.security" if current_user.is_authenticated else "account.login"
    if removal is not None and not form.validate_on_submit():
        return render_template("account/keep_second_factors.html", form=form)
    if removal is None or not factor_removals.stop(removal):
        return refuse_link(page, "Your security page shows what protects your account.")
    db.session.commit()
    flash("Your second factors stay.", "success")
    return redirect(url_for(page))
