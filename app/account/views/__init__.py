"""The account area's pages, one module for each part of its menu."""

from app.account.views import data, email_address, password, registration, sessions, sign_in

__all__ = ["data", "email_address", "password", "registration", "sessions", "sign_in"]
