"""The views of the account area, one module for each topic."""

from app.account.views import (
    authenticator_app,
    consent,
    data,
    email_address,
    mailed_code,
    passkeys,
    password,
    picture,
    profile,
    providers,
    recovery_codes,
    registration,
    second_factor,
    security,
    sessions,
    sign_in,
)
