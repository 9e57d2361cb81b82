"""The account area's pages, in the order in which somebody meets them."""

from app.account.views import registration, sign_in, password, email_address, sessions, data  # noqa: F401, I001
