"""A task that a browser solves before it sends a form, in ALTCHA's protocol: the more forms, the more work.

The task is signed, so the server keeps nothing about it until it is solved. Whoever accepts a solution has to note
its digest, and to refuse it the next time: the package accepts the same one again.
"""

import hmac
import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# A solution has about 630.
MOST_CHARACTERS = 4000
# Browsers have no other slow function. Two digits: on average 256 tries, each of ``cost`` rounds.
ALGORITHM, PREFIX = "PBKDF2/SHA-256", "00"


@dataclass(frozen=True)
class Solved:
    """A solved task, by the digest that all its solutions have in common."""

    digest: str
    expires_at: datetime


def new_task(cost: int, bound_to: str, key: str, lifetime: timedelta) -> str:
    """Return a task as JSON text. ``bound_to`` says for which form and browser it is; others refuse the solution."""
    # Imported here: few forms need it.
    from altcha import create_challenge

    expires_at = datetime.now(UTC) + lifetime
    task = create_challenge(
        ALGORITHM, cost, key_prefix=PREFIX, expires_at=expires_at, data={"for": bound_to}, hmac_secret=_secret(key)
    )
    return json.dumps(task.to_dict(), separators=(",", ":"))


def solved(solution: str, bound_to: str, keys: list[str]) -> Solved | None:
    """Return the task that ``solution`` (base64 of JSON) solves, or None if it is not valid for this form."""
    # As above.
    from altcha import verify_solution

    if len(solution) > MOST_CHARACTERS or not any(verify_solution(solution, _secret(key)).verified for key in keys):
        return None
    challenge = json.loads(b64decode(solution))["challenge"]
    parameters = challenge["parameters"]
    if not hmac.compare_digest(parameters["data"]["for"].encode(), bound_to.encode()):
        return None
    return Solved(challenge["signature"], datetime.fromtimestamp(parameters["expiresAt"], UTC))


def _secret(key: str) -> bytes:
    """Return a key for nothing else: a signature of a task must not be one of a cookie or a link."""
    return hmac.digest(key.encode(), b"proof of work", "sha256")
