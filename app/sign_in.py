"""The gate: every way to log in ends here.

A password, a passkey, a provider, a mailed code and an invitation each prove who somebody is, and call ``enter``. It
alone decides whether that is enough, or a second factor is asked for, or nobody gets in. Only ``enter`` and ``finish``
start a session; resetting a password does not, since a mailed link must not replace a second factor (ASVS 6.3.4).
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, flash, redirect, request, session, url_for
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.wrappers import Response

from app import email
from app.access import demand_set_up, is_set_up_demanded
from app.extensions import db
from app.kit.auth.guesses import counted_guess, second_factor_limits
from app.kit.auth.user_agent import request_details
from app.kit.db.database import insert_unless_taken, lock_unchanged
from app.kit.http.redirects import safe_next
from app.models import AuditEvent, Flow, KnownDevice, User, Way, second_factors
from app.second_factors import tried
from app.sessions import log_in

SECOND_STEP = "second_step"


@dataclass(frozen=True)
class Proof:
    """What somebody has proven so far, and what was asked for with the login.

    ``is_complete`` says that the way counts as both factors: a passkey that checked who holds it. ``back_to`` is the
    page to return to, if the login began in an earlier request; else this one's ``next`` names it.
    """

    way: Way
    is_complete: bool = False
    remembered: bool = False
    greeting: str = ""
    back_to: str | None = None

    @property
    def next(self) -> str:
        """The page to return to, which may be anything that somebody wrote into a URL."""
        return request.args.get("next", "") if self.back_to is None else self.back_to


def enter(user: User, proof: Proof) -> Response | None:
    """Log ``user`` in, or ask for a second factor; commit, and return where to go next.

    Returns None, for any way alike, if the account may not log in, or changed while the proof was checked.
    """
    try:
        # A factor that is being set up at this moment is seen, or sees this session.
        lock_unchanged(db.session, user)
        if not user.may_log_in:
            response = None
        elif second_factors(user) and not proof.is_complete:
            response = _ask_for_second_factor(user, proof)
        else:
            response = _let_in(user, proof)
    except StaleDataError:
        db.session.rollback()
        return None
    db.session.commit()
    return response


def begun() -> Flow | None:
    """Return the login of this browser that waits for its second factor, or None.

    It ends when the account changes, and after SECOND_STEP_TRIES wrong answers.
    """
    flow = Flow.newest(SECOND_STEP)
    if flow is None or flow.user is None or not flow.is_of(flow.user):
        return None
    return flow if flow.tries < current_app.config["SECOND_STEP_TRIES"] else None


def finish(flow: Flow, user: User, check: Callable[[], Way | None]) -> Response | None:
    """Log ``user`` in if ``check`` proves the second factor for which ``flow`` waits; commit, return where to go next.

    Returns None if it does not, with the try counted; also if another request finished first, or the account may not
    log in any more. Nothing that ``check`` changed is stored then, such as a code that was used.
    """
    way = counted_guess(second_factor_limits(user.uid), lambda: tried(flow, user, check))
    if way is None:
        db.session.commit()
        return None
    try:
        if not user.may_log_in or not flow.take():
            db.session.rollback()
            return None
        first = {name: flow.data[name] for name in ("remembered", "greeting")}
        response = _let_in(user, Proof(Way(flow.data["way"]), back_to=flow.data["next"], **first), way)
    except StaleDataError:
        db.session.rollback()
        return None
    db.session.commit()
    return response


def _ask_for_second_factor(user: User, proof: Proof) -> Response:
    # Cleared, so that it is not the key of somebody who planted a cookie to which the flow is bound.
    session.clear()
    said = {"way": proof.way.value, "remembered": proof.remembered, "greeting": proof.greeting, "next": proof.next}
    Flow.begin(SECOND_STEP, user, **said)
    return redirect(url_for("account.second_factor"))


def _let_in(user: User, proof: Proof, *second: Way) -> Response:
    ways = [proof.way, *second]
    own = log_in(user, proof.remembered, ways, has_two_factors=proof.is_complete or bool(second))
    is_first = _note_device(user, ways)
    flash(proof.greeting or f"You are now logged in. Welcome{'' if is_first else ' back'}!", "success")
    target = safe_next(proof.next, url_for("main.index"))
    return demand_set_up(target) if is_set_up_demanded(own) else redirect(target)


def _note_device(user: User, ways: list[Way]) -> bool:
    """Mail a notice if the user has logged in before, but never with this browser. Return whether it is the first."""
    origin = request_details()
    is_first = db.session.scalar(select(KnownDevice.id).where(KnownDevice.user_id == user.id).limit(1)) is None
    is_new = insert_unless_taken(db.session(), KnownDevice, user_id=user.id, label=origin["browser"])
    if is_new and not is_first:
        email.new_device.send(user, **origin)
    with_ways = ", ".join(way.label.lower() for way in ways)
    AuditEvent.record("user.logged_in", subject=user, actor=user, browser=origin["browser"], ways=with_ways)
    return is_first
