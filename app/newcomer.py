"""The address of a sign-up in the browser's session, so that the visitor can request the email again.

The session holds the address as typed, whether or not it has an account, so it reveals nothing.
"""

from flask import session

from app.models import User

SESSION_KEY = "newcomer_email"


def remember_newcomer(address: str) -> None:
    """Store the address of a sign-up in the browser's session. A login removes it."""
    session[SESSION_KEY] = address


def newcomer_email() -> str | None:
    """Return the address with which this browser signed up, or None."""
    address: str | None = session.get(SESSION_KEY)
    return address


def forget_newcomer(user: User) -> None:
    """Remove the address from the browser's session if it is that of ``user``."""
    if (newcomer_email() or "").lower() == user.email.lower():
        session.pop(SESSION_KEY, None)
