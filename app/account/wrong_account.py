"""A mailed link that is opened by somebody who is logged in with another account."""

from flask import render_template
from flask_login import current_user

from app.models import User


def is_somebody_else(owner: User) -> bool:
    """Return whether another user than the owner of a mailed link is logged in."""
    return bool(current_user.is_authenticated) and current_user != owner


def offer_to_log_out(owner: User, link: str) -> str:
    """Return the page that says who is logged in, with a button that logs out and opens ``link`` again."""
    return render_template("account/wrong_account.html", owner=owner, link=link)
