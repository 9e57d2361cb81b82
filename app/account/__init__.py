"""The account area: joining, signing in, and looking after one's own account.

The area is closed: a view is for confirmed users unless a decorator of access.py says otherwise.
"""

from flask import Blueprint

from app.account.access import check_access

account = Blueprint("account", __name__)
account.before_request(check_access)

from app.account import views  # noqa: E402, F401 - the views need the blueprint
