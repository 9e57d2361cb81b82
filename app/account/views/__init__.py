"""The views of the account area, one module for each topic."""

from app.account.views import (
    consent,
    data,
    email_address,
    mailed_code,
    passkeys,
    password,
    picture,
    profile,
    providers,
    registration,
    second_factors,
    security,
    sessions,
    sign_in,
)
