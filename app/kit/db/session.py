"""The database session of the current application."""

from typing import Any

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Select, func, select
from sqlalchemy.orm import scoped_session


def current_database() -> SQLAlchemy:
    """Return the Flask-SQLAlchemy extension of the current application."""
    database: SQLAlchemy = current_app.extensions["sqlalchemy"]
    return database


def current_session() -> scoped_session[Session]:
    """Return the database session of the current context."""
    return current_database().session


def count_up_to(most: int, query: Select[Any]) -> int:
    """Return how many rows ``query`` has, reading at most ``most`` of them."""
    return current_session().scalar(select(func.count()).select_from(query.limit(most).subquery())) or 0
