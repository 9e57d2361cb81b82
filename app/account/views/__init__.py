"""The views of the account area, one module for each topic."""

from app.account.views import (
    consent,
    data,
    email_address,
    passkeys,
    password,
    picture,
    profile,
    registration,
    second_factor,
    sessions,
    sign_in,
)

__all__ = [
    "consent",
    "data",
    "email_address",
    "passkeys",
    "password",
    "picture",
    "profile",
    "registration",
    "second_factor",
    "sessions",
    "sign_in",
]
