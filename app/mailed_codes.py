"""Mailed codes: asking for one, and checking what was typed.

A code works in the browser that asked for it: a flow (models/flow.py) holds its nonce. For an address that may not get
one, everything is the same, except that the worker cancels the email and no code is ever right.
"""

from flask import current_app
from sqlalchemy import delete, select

from app import email_codes
from app.extensions import db
from app.kit.auth import known_browser, tokens
from app.kit.auth.guesses import counted_guess, login_limits, own_password_limits
from app.kit.auth.limits import typed_email
from app.kit.db.database import lock_unchanged
from app.kit.mail.rows import EmailState
from app.models import AuditEvent, Email, Flow, User, may_get_codes
from app.models.mailed_code import is_awaited, is_code, new_nonce

LOGIN, SUDO = "mailed_code", "sudo_code"


def ask_to_log_in(address: str, remembered: bool, back_to: str) -> None:
    """Mail a code and a link to ``address``, and let this browser wait for them. The caller commits.

    Refused without a word: unknown, invited, disabled and unconfirmed users (whose password may be a squatter's), and
    administrators, unless a setting lets them.
    """
    user = User.with_email(address)
    if user is not None and not (user.may_log_in and may_get_codes(user)):
        user = None
    nonce = new_nonce()
    if user is None:
        email_codes.mailed_code.send_to_nobody(address)
    else:
        email_codes.mailed_code.send(user, nonce=nonce)
    nonce = _nonce_of_waiting_email(user.email if user else address, user.id if user else None) or nonce
    limit = typed_email()
    Flow.begin(LOGIN, user, nonce=nonce, limit=limit, remembered=remembered, next=back_to)
    AuditEvent.record("code.requested", subject=user)


def _nonce_of_waiting_email(recipient: str, user_id: int | None) -> str | None:
    """Return the nonce of the email that will be sent: that of an earlier request, if it had not left yet."""
    alike = (Email.kind == LOGIN, Email.recipient == recipient, Email.user_id == user_id)
    waiting = select(Email.context).where(*alike, Email.state == EmailState.PENDING)
    context = db.session.scalar(waiting.order_by(Email.id.desc()).limit(1))
    return str(context["nonce"]) if context else None


def ask_to_confirm(user: User) -> None:
    """Mail a code with which a user who is logged in confirms who they are. The caller commits."""
    nonce = new_nonce()
    email_codes.sudo_code.send(user, nonce=nonce)
    Flow.begin(SUDO, user, nonce=nonce)


def waiting(purpose: str) -> Flow | None:
    """Return what this browser waits for, or None. A flow whose tries are used up is over."""
    flow = Flow.newest(purpose)
    return flow if flow and flow.tries < current_app.config["MAILED_CODE_TRIES"] else None


def user_with_code(flow: Flow, typed: str) -> User | None:
    """Return the user whose code to log in was typed, or None. The queries are the same for an unknown address.

    The guesses are counted with those at the password of the address. The caller commits, also a wrong try.
    """
    user = db.session.scalar(select(User).where(User.id == (flow.user_id or 0)))
    browser = known_browser.recognize(user.uid, user.password_mark) if user else None
    limits = login_limits(browser, flow.data["limit"])
    if not flow.count_try(current_app.config["MAILED_CODE_TRIES"]):
        return None
    is_right = counted_guess(limits, lambda: is_right_code(flow, user, typed))
    return user if is_right else None


def confirms(user: User, typed: str) -> bool:
    """Return whether ``typed`` is the code that this browser asked for to confirm that it is ``user``, and use it up.

    The guesses are counted with those at the user's password. The caller commits, also a wrong try.
    """
    flow = waiting(SUDO)
    if flow is None or not flow.count_try(current_app.config["MAILED_CODE_TRIES"]):
        return False
    return counted_guess(own_password_limits(), lambda: is_right_code(flow, user, typed)) and use_up(flow, user)


def is_right_code(flow: Flow, user: User | None, typed: str) -> bool:
    """Return whether ``typed`` is the code of this flow, and ``user`` is as when it began."""
    fits = is_code(typed, flow.purpose, flow.data["nonce"])
    return fits and user is not None and flow.is_of(user)


def read_link(token: str) -> tuple[User, str] | None:
    """Return the user and the nonce of a mailed link for which a browser waits, or None."""
    claims = tokens.read(LOGIN, token)
    user = User.with_uid(claims.uid) if claims else None
    if claims is None or user is None or not tokens.matches(claims, (user.access_version,)):
        return None
    nonce = claims.data["nonce"]
    return (user, nonce) if is_awaited(LOGIN, user, nonce) else None


def waiting_here_for(user: User, nonce: str) -> Flow | None:
    """Return what this browser waits for if it is this code, or None."""
    flow = Flow.newest(LOGIN)
    return flow if flow and flow.user_id == user.id and flow.data["nonce"] == nonce else None


def use_up(flow: Flow, user: User) -> bool:
    """End every flow that waits for a code of ``user``. Return False if another request did so first.

    A code that reached two browsers, because both asked within a minute, logs in one. The caller commits.
    """
    lock_unchanged(db.session, user)
    is_first = flow.take()
    others = (Flow.user_id == user.id, Flow.purpose == flow.purpose)
    db.session.execute(delete(Flow).where(*others), execution_options={"synchronize_session": False})
    return is_first
