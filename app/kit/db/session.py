"""The database session of the current application."""

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy.orm import scoped_session


def current_database() -> SQLAlchemy:
    """Return the Flask-SQLAlchemy of the current application, whatever it calls it."""
    database: SQLAlchemy = current_app.extensions["sqlalchemy"]
    return database


def current_session() -> scoped_session[Session]:
    """Return the session of the current context."""
    return current_database().session
