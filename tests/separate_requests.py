"""A client whose requests share nothing but cookies and the database, as on a server."""

from contextvars import Context
from typing import Any

from flask import current_app, has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class SeparateRequests(FlaskClient):
    """Gives each request an application context of its own.

    Flask would lend it the test's: ``g`` would outlive the request, and with it the user who was
    logged in there. A logout that does nothing would pass every test.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if self.preserve_context:
            return super().open(*args, **kwargs)
        _end_transaction(keep=True)
        response = Context().run(super().open, *args, **kwargs)
        _end_transaction(keep=False)
        return response


def _end_transaction(keep: bool) -> None:
    """Let the request see what the test wrote, and the test what the request wrote."""
    if has_app_context() and "sqlalchemy" in current_app.extensions:
        session = current_app.extensions["sqlalchemy"].session
        if keep:
            session.commit()
        else:
            session.rollback()
