"""What protects an account, in one list."""

from flask import current_app, render_template
from flask_login import current_user

from app.access import is_set_up_demanded
from app.account.blueprint import account
from app.account.recovery_codes import NUMBER_OF_CODES
from app.models import AuditEvent, AuthenticatorApp, Passkey, RecoveryCode, UserSession, second_factors
from app.second_factors import FEW_CODES, has_factor
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
        is_demanded=is_set_up_demanded(current_session()),
        codes_left=RecoveryCode.left(current_user),
        few_codes=FEW_CODES,
        number_of_codes=NUMBER_OF_CODES,
        passkeys=Passkey.of(current_user),
        sessions=UserSession.living(current_user),
        logins=AuditEvent.logins_of(current_user, SHOWN_LOGINS),
    )
