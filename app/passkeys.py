"""Passkeys: asking a browser for one, checking what it returns, adding and removing them.

A challenge is the token of a flow (models/flow.py). So it lives for minutes, works once, in one browser and for one
``use``, and the database holds only its digest. The view that adds a passkey (account/views/passkeys.py) names it.
"""

import logging
from dataclasses import asdict
from secrets import token_bytes

from flask import current_app

from app import second_factors
from app.extensions import db
from app.kit.auth import webauthn
from app.kit.db.database import insert_unless_taken, lock_unchanged, utc_now
from app.models import AuditEvent, Flow, Passkey, User, UserSession, Way, has_other_way_in

FLOW = "passkey"
LOGIN, SECOND_STEP, SUDO, NEW = "login", "second step", "sudo", "new"
HANDLE_BYTES = 64

log = logging.getLogger(__name__)


def ask(use: str, user: User | None = None) -> webauthn.Json:
    """Begin a challenge, and return what the browser needs to sign it with a passkey of ``user``, or of anybody.

    The caller commits.
    """
    return webauthn.request_options(_site(), Flow.begin(FLOW, user, use=use), _known(user) if user else ())


def proven(use: str, text: str, user: User | None = None) -> Passkey | None:
    """Return the passkey with which the browser signed a challenge of this ``use``, or None.

    It must be one of ``user``, if given. None says nothing about the reason. Locks the row of the passkey's user. The
    caller commits also without a passkey: the challenge is used up, whatever the answer was.
    """
    try:
        answer = webauthn.read(text)
        passkey = Passkey.with_credential_id(answer.credential_id)
        if _take(use, answer, user) is None or passkey is None or not _is_of(passkey, answer, user):
            raise webauthn.Refused("wrong: passkey or challenge")
        signed = webauthn.signed(_site(), answer.challenge, answer, passkey.public_key)
    except webauthn.Refused as refusal:
        log.info("a passkey was refused", extra={"fields": {"reason": str(refusal)}})
        return None
    lock_unchanged(db.session, passkey.user)
    _note_use(passkey, signed)
    return passkey


def _is_of(passkey: Passkey, answer: webauthn.Answer, user: User | None) -> bool:
    """Return whether the passkey is the one of ``user``, or else of the user whom the authenticator names."""
    if user is not None and passkey.user_id != user.id:
        return False
    return answer.user_handle == passkey.user_handle or (answer.user_handle is None and user is not None)


def _note_use(passkey: Passkey, signed: webauthn.Signed) -> None:
    """Store what the passkey states. One that counts backwards may have been copied, or its device was restored."""
    counts = passkey.sign_count or signed.sign_count
    if counts and signed.sign_count <= passkey.sign_count:
        AuditEvent.record("passkey.counted_backwards", subject=passkey.user, passkey=passkey.name)
    passkey.sign_count, passkey.backed_up, passkey.last_used_at = signed.sign_count, signed.backed_up, utc_now()


def ask_for_new(user: User) -> webauthn.Json:
    """Begin a challenge, and return what the browser needs to make a passkey for ``user``. The caller commits."""
    own = Passkey.of(user)
    handle = own[0].user_handle if own else token_bytes(HANDLE_BYTES)
    challenge = Flow.begin(FLOW, user, use=NEW, handle=webauthn.encode(handle))
    return webauthn.creation_options(_site(), challenge, handle, (user.email, user.display_name), _known(user))


def add(user: User, own: UserSession, name: str, text: str) -> bool:
    """Add the passkey that the browser made in the session ``own``. Return False, with nothing added, if it is wrong.

    The caller commits in both cases.
    """
    try:
        answer = webauthn.read(text)
        if (flow := _take(NEW, answer, user)) is None:
            raise webauthn.Refused("wrong: challenge")
        key = webauthn.new_key(_site(), answer.challenge, answer)
    except webauthn.Refused as refusal:
        log.info("a passkey was not added", extra={"fields": {"reason": str(refusal)}})
        return False
    lock_unchanged(db.session, user)
    handle, known = webauthn.decode(flow.data["handle"]), Passkey.of(user)
    # The first two passkeys of a user, made at the same time, would have two handles.
    if known and known[0].user_handle != handle:
        return False
    if not insert_unless_taken(
        db.session(), Passkey, user_id=user.id, user_handle=handle, name=name, created_at=utc_now(), **asdict(key)
    ):
        return False
    second_factors.added(user, own, Way.PASSKEY, _words(name))
    return True


def remove(user: User, passkey: Passkey) -> bool:
    """Remove a passkey. Return False if it is the last way in. The caller commits."""
    # Of two requests that remove the last two, the second one sees what the first one left.
    lock_unchanged(db.session, user)
    if not has_other_way_in(user, without=passkey):
        return False
    db.session.delete(passkey)
    db.session.flush()
    second_factors.removed(user, _words(passkey.name))
    return True


def _words(name: str) -> str:
    return f"The passkey “{name}”"


def _take(use: str, answer: webauthn.Answer, user: User | None) -> Flow | None:
    """Return the flow of the challenge that was answered, and end it; None if it is not a challenge of this use."""
    flow = Flow.with_token(FLOW, answer.challenge)
    if flow is None or not flow.take():
        return None
    return flow if flow.data["use"] == use and flow.user_id == (user.id if user else None) else None


def _known(user: User) -> list[webauthn.Known]:
    return [(passkey.credential_id, passkey.transports) for passkey in Passkey.of(user)]


def _site() -> webauthn.Site:
    return webauthn.Site(current_app.config["APP_NAME"], current_app.config["BASE_URL"])
