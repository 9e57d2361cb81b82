"""The database session of the current application."""

from typing import Any

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Select, func, literal, select
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
    # A database skips a row in a fifth of the time in which it counts one, and long lists are only skipped through.
    last = select(literal(most)).select_from(query.limit(1).offset(most - 1).subquery())
    counted = select(func.count()).select_from(query.limit(most).subquery())
    return current_session().scalar(select(func.coalesce(last.scalar_subquery(), counted.scalar_subquery()))) or 0
