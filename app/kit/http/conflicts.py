"""Requests that get into each other's way: the later one is run again, as if it had come a moment later.

While a view works, another request may delete or change the rows that it read: a button was pressed
five times, two administrators remove each other, a password is reset while the old one is verified.
The database then refuses the write (a row is gone, has another version, or lost what it refers to).
Nothing was saved; so the request begins anew, with who is logged in and who may do this looked up
again. Its second run meets the world as the first request left it.
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
# PostgreSQL ends one of two transactions that wait for each other, or that cannot both be right.
LOST_TO_ANOTHER = {"40001", "40P01"}
# What belongs to the request and not to one run of its view.
_KEPT = {"request_id", "request_started_at"}

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Run requests of ``app`` again that lost to another one."""
    for kind in (StaleDataError, ObjectDeletedError, IntegrityError, OperationalError):
        app.register_error_handler(kind, _run_again)


def _run_again(error: Exception) -> ResponseReturnValue:
    runs = g.get("runs", 1)
    if not _is_conflict(error):
        raise error
    if g.get("has_committed") or runs == MAX_RUNS:
        return _give_up(error)
    log.info("run again after a conflict", extra={"fields": {"error": type(error).__name__, "runs": runs}})
    _forget_first_run()
    g.runs = runs + 1
    try:
        answer = current_app.preprocess_request()
        return current_app.dispatch_request() if answer is None else answer
    except Exception as next_error:
        return current_app.handle_user_exception(next_error)


def _is_conflict(error: Exception) -> bool:
    return not isinstance(error, OperationalError) or getattr(error.orig, "sqlstate", None) in LOST_TO_ANOTHER


def _give_up(error: Exception) -> ResponseReturnValue:
    """Say that somebody was faster, where running again would do a thing twice or did not help."""
    # A row that breaks a rule of its table again and again is an error of ours.
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
    sessions: scoped_session[Session] = current_app.extensions["sqlalchemy"].session
    return sessions


@event.listens_for(Session, "after_commit")
def _note_commit(session: Session) -> None:
    if has_request_context() and not session.in_nested_transaction():
        g.has_committed = True
