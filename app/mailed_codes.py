"""Mailed codes: asking for one, the emails, and checking what was typed.

A code works in the browser that asked for it: a flow (models/flow.py) holds its nonce. For an address that may not get
one, everything is the same, except that the worker cancels the email and no code is ever right.

A code is stored nowhere: it is derived from the site's key and the nonce when the email is sent, and again when it is
typed. A plain digest would give it away, since 40 bits are tried out in minutes. Whoever copies the database has the
nonce and not the key.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from secrets import token_urlsafe

from flask import current_app
from sqlalchemy import delete, select

from app.email import SAMPLE_LINK, catalog, not_me_link
from app.extensions import db
from app.kit.auth import known_browser, tokens
from app.kit.auth.guesses import counted_guess, login_limits, own_password_limits
from app.kit.auth.limits import Limit, typed_email
from app.kit.core.signing import signing_keys
from app.kit.db.database import PLAIN, lock_unchanged
from app.kit.http.links import external_url
from app.kit.mail.catalog import URGENT
from app.kit.mail.rows import Context, EmailState
from app.models import AuditEvent, Email, Flow, User, may_get_codes

# The flows, and the emails below.
LOGIN, SUDO = "mailed_code", "sudo_code"
# Crockford's: without I, L, O and U. What is read as another sign is forgiven.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD = str.maketrans("OIL", "011")
LENGTH, NONCE_BYTES = 8, 16
SAMPLE_CODE = "3F7K-9QXM"


def ask_to_log_in(address: str, remembered: bool, back_to: str) -> None:
    """Mail a code and a link to ``address``, and let this browser wait for them. The caller commits.

    Refused without a word: unknown, invited, disabled and unconfirmed users (whose password may be a squatter's), and
    administrators, unless a setting lets them.
    """
    user = User.with_email(address)
    if user is not None and not (user.may_log_in and may_get_codes(user)):
        user = None
    nonce = token_urlsafe(NONCE_BYTES)
    if user is None:
        mailed_code.send_to_nobody(address)
    else:
        mailed_code.send(user, nonce=nonce)
    nonce = _nonce_of_waiting_email(user.email if user else address, user.id if user else None) or nonce
    Flow.begin(LOGIN, user, nonce=nonce, limit=typed_email(), remembered=remembered, next=back_to)
    AuditEvent.record("code.requested", subject=user)


def _nonce_of_waiting_email(recipient: str, user_id: int | None) -> str | None:
    """Return the nonce of the email that will be sent: that of an earlier request, if it had not left yet."""
    alike = (Email.kind == LOGIN, Email.recipient == recipient, Email.user_id == user_id)
    waiting = select(Email.context).where(*alike, Email.state == EmailState.PENDING)
    context = db.session.scalar(waiting.order_by(Email.id.desc()).limit(1))
    return str(context["nonce"]) if context else None


def ask_to_confirm(user: User) -> None:
    """Mail a code with which a user who is logged in confirms who they are. The caller commits."""
    nonce = token_urlsafe(NONCE_BYTES)
    sudo_code.send(user, nonce=nonce)
    Flow.begin(SUDO, user, nonce=nonce)


@catalog.email(
    "account/email/mailed_code",
    subject="Your code to log in",
    priority=URGENT,
    limited_per_recipient=True,
    sample={"code": SAMPLE_CODE, "code_link": SAMPLE_LINK, "reset_link": SAMPLE_LINK},
)
def mailed_code(user: User, nonce: str) -> Context | None:
    """Mail a code and a link, of use only in the browser that asked.

    The email includes a reset link, too. An attacker who asks for codes five times an hour uses up the rate limit of
    the address, and must not keep the owner out.
    """
    if not is_awaited(LOGIN, user, nonce):
        return None
    lifetime = current_app.config["FLOW_LIFETIMES"][LOGIN]
    token = tokens.sign(LOGIN, user.uid, (user.access_version,), lifetime, nonce=nonce)
    return {
        "code": code_for(LOGIN, nonce),
        "code_link": external_url("account.mailed_code_link", token=token),
        "reset_link": external_url("account.reset_password", token=user.generate_password_reset_token()),
    }


@catalog.email(
    "account/email/sudo_code",
    subject="Your code to confirm that it is you",
    priority=URGENT,
    sample={"code": SAMPLE_CODE, "not_me_link": SAMPLE_LINK},
)
def sudo_code(user: User, nonce: str) -> Context | None:
    """Mail a code to a user who is logged in and has neither password nor passkey to confirm who they are.

    Its limit is the user's, not the recipient's: strangers must not use it up.
    """
    if not is_awaited(SUDO, user, nonce):
        return None
    return {"code": code_for(SUDO, nonce), "not_me_link": not_me_link(user)}


def is_awaited(purpose: str, user: User, nonce: str) -> bool:
    """Return whether a browser waits for this code of ``user``."""
    return any(flow.is_of(user) and flow.data["nonce"] == nonce for flow in Flow.living(purpose, user))


def code_for(purpose: str, nonce: str) -> str:
    """Return a code in two groups, such as "3F7K-9QXM"."""
    *_, code = _codes(purpose, nonce)
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def is_code(typed: str, purpose: str, nonce: str) -> bool:
    """Return whether ``typed`` is the code of ``nonce``, however it is spaced and in whatever case."""
    code = re.sub(r"[^0-9A-Z]", "", typed.upper().translate(MISREAD)).encode()
    return any(hmac.compare_digest(code, known.encode()) for known in _codes(purpose, nonce))


def _codes(purpose: str, nonce: str) -> Iterator[str]:
    """Yield the code by each key that is in use, the present one last."""
    for key in signing_keys(current_app.config):
        digest = hmac.digest(key.encode(), f"mailed code {purpose} {nonce}".encode(), hashlib.sha256)
        yield "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])


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
    return user if _tried(flow, user, typed, login_limits(browser, flow.data["limit"])) else None


def confirms(user: User, typed: str) -> bool:
    """Return whether ``typed`` is the code that this browser asked for to confirm that it is ``user``, and use it up.

    The guesses are counted with those at the user's password. The caller commits, also a wrong try.
    """
    flow = waiting(SUDO)
    return flow is not None and _tried(flow, user, typed, own_password_limits()) and use_up(flow, user)


def _tried(flow: Flow, user: User | None, typed: str, limits: Sequence[Limit]) -> bool:
    if not flow.count_try(current_app.config["MAILED_CODE_TRIES"]):
        return False
    return counted_guess(limits, lambda: is_right_code(flow, user, typed))


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
    db.session.execute(delete(Flow).where(*others), execution_options=PLAIN)
    return is_first
