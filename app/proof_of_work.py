"""Forms that ask the browser for some work before they are sent (PROOF_OF_WORK), so that robots pay for each one.

A robot that registers by the thousand needs as much computing time; a person notices nothing. Nobody has to solve
puzzles, and no other site learns who visits.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from flask import current_app, request, session
from flask_wtf.csrf import generate_csrf
from limits import RateLimitItem, parse
from wtforms import HiddenField

from app.extensions import db, limiter
from app.kit.auth import proof_of_work
from app.kit.auth.limits import client_address
from app.kit.core.signing import signing_keys
from app.kit.db.database import insert_unless_taken
from app.kit.forms.form import Form
from app.kit.http.security_headers import allow_source
from app.models import SpentProof

NOT_SOLVED = (
    "Your browser has to do some work first, which keeps robots out. It does so by itself while you type: "
    "send the form again."
)
WITHOUT_SCRIPT = {
    "always": "allow JavaScript for this site.",
    "suspicion": "allow JavaScript for this site, or come back later: many forms came from your network.",
}


class AsksForProof(Form):
    """A form with ``proof = HiddenField()`` for the solved task, if this visitor has to solve one.

    Call ``spend_proof`` once the form is valid, right before the first change: on SQLite, it locks the database.
    """

    proof: HiddenField
    # As JSON text, for the script that solves it; empty if there is none.
    task = ""
    _needs_proof = False
    _solved: proof_of_work.Solved | None = None

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        sent = _count_form()
        if not _is_asked(sent):
            del self.proof
            return
        # The form that makes a network suspicious is accepted; if it is shown again, it has a task.
        self._needs_proof = _is_asked(sent - 1)
        # A solution is of no use in the form that is shown next.
        self._sent_proof, self.proof.data = self.proof.data or "", ""
        self.task = _new_task(sent)
        allow_source("worker-src", "'self'")

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Validate the fields, and then the proof."""
        if not super().validate(extra_validators):
            return False
        if not self._needs_proof:
            return True
        keys = signing_keys(current_app.config)
        self._solved = proof_of_work.solved(self._sent_proof, _this_form(), keys)
        return self._solved is not None or self._refuse()

    def spend_proof(self) -> bool:
        """Use the proof up. Return False, and say so in the form, if it was used before. The caller commits."""
        if self._solved is None:
            return True
        digest, expires_at = self._solved.digest, self._solved.expires_at
        return insert_unless_taken(db.session(), SpentProof, digest=digest, expires_at=expires_at) or self._refuse()

    def _refuse(self) -> bool:
        self.form_errors.append(f"{NOT_SOLVED} If that does not help, {without_script()}")
        return False


def without_script() -> str:
    """Return what to do in a browser that cannot solve a task."""
    return WITHOUT_SCRIPT[current_app.config["PROOF_OF_WORK"]]


def _count_form() -> int:
    """Return how many forms came from the visitor's network lately, this one included."""
    if not limiter.enabled:
        return 0
    key = _allowed().key_for("proof", client_address())
    if request.method == "POST":
        return limiter.count(key, _allowed().get_expiry())[1]
    return limiter.counted(key)


def _is_asked(sent: int) -> bool:
    """Return whether a network that sent so many forms needs a proof for the next one."""
    when = current_app.config["PROOF_OF_WORK"]
    return when == "always" or (when == "suspicion" and sent >= _allowed().amount)


def _new_task(sent: int) -> str:
    config = current_app.config
    cost = config["PROOF_OF_WORK_COST"] << min(sent // _allowed().amount, config["PROOF_OF_WORK_DOUBLINGS"])
    return proof_of_work.new_task(cost, _this_form(), signing_keys(config)[-1], config["PROOF_OF_WORK_LIFETIME"])


def _this_form() -> str:
    """Return a name of this form in this browser, which says nothing about the token by which it knows the browser."""
    generate_csrf()
    return sha256(f"{request.endpoint} {session['csrf_token']}".encode()).hexdigest()


def _allowed() -> RateLimitItem:
    return parse(current_app.config["PROOF_OF_WORK_AFTER"])
