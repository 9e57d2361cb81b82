"""Delivery: claim due rows of the outbox, send them, and record the outcome.

The database is the source of truth. A row is claimed for a limited time (a lease). If this process dies, the lease
expires and another worker sends the row. A message is sent twice only if the process is killed between the
server's "accepted" and our own record of it.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app
from sqlalchemy.exc import DBAPIError

from app.kit.core.request_log import log_fields
from app.kit.db.session import current_session
from app.kit.mail.mailbox import MailboxTransport
from app.kit.mail.message import Message
from app.kit.mail.rows import ClaimedEmail, EmailRows, EmailState
from app.kit.mail.smtp import Failure, SmtpTransport, classify

log = logging.getLogger("app.outbox")

# Waits vary by a fifth, so that a thousand messages that failed together are not retried together.
JITTER = 0.2
# A message must be sent this long before its lease ends.
LEASE_MARGIN_SECONDS = 10
# After this many failures in a row, the server is left alone until the next round.
SERVER_FAILURES_PER_ROUND = 3
RECORD_PAUSE_SECONDS = 0.5
RECORD_FOR_SECONDS = 600


Composer = Callable[[ClaimedEmail], Message | None]
Transport = SmtpTransport | MailboxTransport


@dataclass(frozen=True)
class Outcome:
    """The result of one try: the row's next state, and what an administrator reads about it."""

    state: EmailState
    error: str = ""
    wait_seconds: float = 0
    server_failed: bool = False


class Outbox:
    """Delivers the rows of one model; ``compose`` returns a row's message, or None if it is obsolete."""

    def __init__(self, rows: EmailRows, compose: Composer) -> None:
        self._rows = rows
        self._compose = compose

    def deliver(self, email_id: int | None = None, *, go_on: Callable[[], bool]) -> int:
        """Deliver the row ``email_id`` if it is due, then due rows, urgent ones first, while ``go_on()`` is true.

        Parallel calls send each row once. Return how many rows were tried.
        """
        # A separate context has its own session, so that the caller's objects stay as they are.
        with current_app.app_context():
            return self._work_off(email_id, go_on)

    def _work_off(self, email_id: int | None, go_on: Callable[[], bool]) -> int:
        transport = new_transport()
        tried = failed_in_a_row = 0
        try:
            claimed = self._claim(email_id)
            current_session().commit()
            while claimed is not None:
                outcome = self._try(claimed, transport)
                tried += 1
                failed_in_a_row = failed_in_a_row + 1 if outcome.server_failed else 0
                more = failed_in_a_row < SERVER_FAILURES_PER_ROUND and go_on()
                claimed = self._record_and_claim(claimed, outcome, claim_next=more)
        finally:
            transport.close()
        return tried

    def _claim(self, email_id: int | None = None) -> "Claimed | None":
        lease_seconds = current_app.config["EMAIL_LEASE_SECONDS"]
        # Read before the database sets the lease, so that our deadline is never later than the lease's end.
        deadline = time.monotonic() + lease_seconds - LEASE_MARGIN_SECONDS
        row = self._rows.claim(lease_seconds, email_id)
        return None if row is None else Claimed(row, deadline)

    def _try(self, claimed: "Claimed", transport: Transport) -> Outcome:
        with log_fields(email_id=claimed.row.id, request_id=claimed.row.request_id):
            try:
                message = self._compose(claimed.row)
            except DBAPIError as error:
                return self._later(claimed.row, error)
            except Exception as error:
                log.exception("email cannot be built")
                return Outcome(EmailState.DEAD, f"cannot be built: {type(error).__name__}: {error}")
            finally:
                # Sending may take a while, during which no transaction should be open.
                current_session().rollback()
                current_session().expunge_all()
            if message is None:
                log.info("email canceled, it no longer makes sense")
                return Outcome(EmailState.CANCELED, "no longer makes sense")
            return self._send(claimed, message, transport)

    def _send(self, claimed: "Claimed", message: Message, transport: Transport) -> Outcome:
        row = claimed.row
        name = f"{row.id}-{row.attempts}"
        try:
            transport.send(message, deadline=claimed.deadline, name=name)
        except Exception as error:
            return self._failed(row, error)
        log.info("email sent")
        return Outcome(EmailState.SENT)

    def _failed(self, row: ClaimedEmail, error: Exception) -> Outcome:
        failure = classify(error)
        if failure is Failure.PERMANENT:
            log.warning("email refused for good", extra={"fields": {"error": type(error).__name__}})
            return Outcome(EmailState.DEAD, describe(error))
        if failure is Failure.SETTINGS:
            log.error("the mail server refuses our settings: %s", describe(error))
        return self._later(row, error, server_failed=failure is not Failure.TEMPORARY)

    def _later(self, row: ClaimedEmail, error: Exception, *, server_failed: bool = False) -> Outcome:
        if row.attempts >= current_app.config["EMAIL_MAX_ATTEMPTS"]:
            log.error("email given up after %d tries", row.attempts)
            return Outcome(EmailState.DEAD, describe(error), server_failed=server_failed)
        fields = {"attempt": row.attempts, "error": type(error).__name__}
        log.warning("email not sent, it will be tried again", extra={"fields": fields})
        return Outcome(EmailState.PENDING, describe(error), wait_before_try(row.attempts + 1), server_failed)

    def _record_and_claim(self, claimed: "Claimed", outcome: Outcome, *, claim_next: bool) -> "Claimed | None":
        """Record the outcome and claim the next row in one transaction, which halves the commits.

        A message that was sent must be recorded, or it is sent again. So while the database is unavailable
        (restarted, locked), this retries for up to ten minutes.
        """
        give_up_at = time.monotonic() + RECORD_FOR_SECONDS
        while True:
            try:
                error, wait_seconds = outcome.error, outcome.wait_seconds
                self._rows.record_outcome(claimed.row, outcome.state, error=error, wait_seconds=wait_seconds)
                following = self._claim() if claim_next else None
                current_session().commit()
                return following
            except DBAPIError:
                current_session().rollback()
                if time.monotonic() > give_up_at:
                    raise
                log.warning("the database is unavailable, the outcome of an email will be recorded later")
                time.sleep(RECORD_PAUSE_SECONDS)


@dataclass(frozen=True)
class Claimed:
    """A claimed row, to be sent before ``deadline`` (``time.monotonic()`` seconds)."""

    row: ClaimedEmail
    deadline: float


def new_transport() -> Transport:
    """Return the transport of this site: SMTP, or a folder where nobody should receive mail."""
    folder = current_app.config["MAILBOX_DIR"]
    return SmtpTransport() if folder is None else MailboxTransport(folder)


def wait_before_try(attempt: int) -> float:
    """Return how many seconds to wait before try number ``attempt`` (2 or more)."""
    first_wait_seconds = current_app.config["EMAIL_FIRST_WAIT_SECONDS"]
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
    return float(first_wait_seconds * 2 ** (attempt - 2) * spread)


def describe(error: Exception) -> str:
    """Return an error as one printable line."""
    text = f"{type(error).__name__}: {error}"
    return "".join(letter if letter.isprintable() else " " for letter in text)
