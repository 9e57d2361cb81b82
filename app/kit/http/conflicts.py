"""Retry requests that conflict with another one, as if they had come a moment later.

While a view works, another request may delete or change the rows that it read: a button was pressed five times,
two administrators remove each other, a password is reset while the old one is verified. The database then refuses
the write: a row is gone, has another version, or lost what it refers to. Nothing was saved, so the request runs
again from the start, including the checks of who is logged in and what they may do. The second run sees what the
first request committed.
"""

import logging

from flask import Flask, current_app, g, has_request_context, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import Conflict

MAX_RUNS = 3
# PostgreSQL aborts one of two transactions that cannot be serialized (40001) or that deadlock (40P01).
LOST_TO_ANOTHER = {"40001", "40P01"}
# These belong to the request, not to one run of its view.
_KEPT = {"request_id", "request_started_at"}

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Retry requests of ``app`` that lost a conflict with another request."""
    for kind in (StaleDataError, ObjectDeletedError, IntegrityError, OperationalError):
        app.register_error_handler(kind, _run_again)


def _run_again(error: Exception) -> ResponseReturnValue:
    runs = g.get("runs", 1)
    # Another error of the database is a bug, or an outage.
    if isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) not in LOST_TO_ANOTHER:
        raise error
    if g.get("has_committed") or runs == MAX_RUNS:
        return _give_up(error)
    log.info("run again after a conflict", extra={"fields": {"error": type(error).__name__, "runs": runs}})
    _forget_first_run()
    g.runs = runs + 1
    try:
        response = current_app.preprocess_request()
        return current_app.dispatch_request() if response is None else response
    except Exception as next_error:
        return current_app.handle_user_exception(next_error)


def _give_up(error: Exception) -> ResponseReturnValue:
    """Return a 409 response, where a retry would do something twice or did not help."""
    # A row that violates a constraint in every run is a bug of ours.
    if isinstance(error, IntegrityError):
        raise error
    _session().rollback()
    return current_app.handle_user_exception(Conflict())


def _forget_first_run() -> None:
    _session().remove()
    for name in set(g) - _KEPT:
        g.pop(name)
    session.clear()
    session.update(current_app.session_interface.open_session(current_app, request) or {})
    for upload in request.files.values():
        upload.seek(0)


def _session() -> scoped_session[Session]:
    return current_app.extensions["sqlalchemy"].session


@event.listens_for(Session, "after_commit")
def _note_commit(session: Session) -> None:
    if has_request_context() and not session.in_nested_transaction():
        g.has_committed = True
