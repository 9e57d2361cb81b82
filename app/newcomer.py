"""What a browser remembers of its own sign-up, so that a visitor can ask for the email again.

It is the address as it was typed, known or not: all that is made of it looks alike.
"""

from flask import session

from app.models import User

SESSION_KEY = "newcomer_email"


def remember_newcomer(address: str) -> None:
    """Keep in the browser's session with which address it signed up; a login takes it out."""
    session[SESSION_KEY] = address


def newcomer_email() -> str | None:
    """Return the address with which this browser signed up, or None."""
    address: str | None = session.get(SESSION_KEY)
    return address


def forget_newcomer(user: User) -> None:
    """Let the browser forget its sign-up, if that is how ``user`` joined."""
    if (newcomer_email() or "").lower() == user.email.lower():
        session.pop(SESSION_KEY, None)
