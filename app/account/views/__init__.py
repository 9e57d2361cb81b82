"""The views of the account area, one module for each topic."""

from app.account.views import (
    data,
    email_address,
    password,
    picture,
    profile,
    providers,
    registration,
    second_factor,
    sessions,
    sign_in,
)

__all__ = [
    "data",
    "email_address",
    "password",
    "picture",
    "profile",
    "providers",
    "registration",
    "second_factor",
    "sessions",
    "sign_in",
]
