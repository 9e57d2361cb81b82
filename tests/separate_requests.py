"""A client whose requests share only cookies and the database, as on a server."""

from contextvars import Context
from typing import Any

from flask import current_app, has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class SeparateRequests(FlaskClient):
    """A client that gives each request its own application context.

    Flask would use the test's: ``g`` would outlive the request, with the user who was logged in there. The tests would
    pass even if logout did nothing.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if self.preserve_context:
            return super().open(*args, **kwargs)
        _end_transaction(keep=True)
        response = Context().run(super().open, *args, **kwargs)
        _end_transaction(keep=False)
        return response


def _end_transaction(keep: bool) -> None:
    """Commit or roll back, so that the request and the test see each other's rows."""
    if has_app_context() and "sqlalchemy" in current_app.extensions:
        session = current_app.extensions["sqlalchemy"].session
        if keep:
            session.commit()
        else:
            session.rollback()
