"""Flows of this browser (models/flow.py). A random key in the session's cookie binds them to it."""

from secrets import token_urlsafe
from typing import Any

from flask import current_app, session

from app.models import Flow, User

_BROWSER = "browser"


def begin(purpose: str, user: User | None = None, **data: Any) -> str:
    """Begin a flow in this browser, and return its token. FLOW_LIFETIMES says how long it lives. The caller commits."""
    lifetime = current_app.config["FLOW_LIFETIMES"][purpose]
    _row, token = Flow.begin(purpose, lifetime, session.setdefault(_BROWSER, token_urlsafe()), user, data)
    return token


def newest(purpose: str) -> Flow | None:
    """Return the living flow that began last in this browser, or None."""
    return Flow.newest(purpose, session[_BROWSER]) if _BROWSER in session else None


def with_token(purpose: str, token: str) -> Flow | None:
    """Return the living flow with this token if it began in this browser, or None."""
    flow = Flow.with_token(purpose, token) if _BROWSER in session else None
    return flow if flow and flow.began_in(session[_BROWSER]) else None
