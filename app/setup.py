"""The first contents of the database: tables, roles, and an administrator."""

import secrets
import warnings
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import MetaData
from sqlalchemy.exc import SAWarning

from app.extensions import db
from app.kit.auth.passwords import assess, personal_words
from app.kit.db import migrations
from app.kit.db.exclusive import one_at_a_time
from app.models import AuditEvent, Role, User


class SetupError(Exception):
    """A setting is missing or a password is weak. The message says what to change."""


@dataclass(frozen=True)
class Login:
    """An administrator's login. The password is None if only its owner knows it."""

    email: str
    password: str | None


def prepare_database() -> None:
    """Run all migrations, and insert or update the roles. Of several processes at once, one works and others wait."""
    with one_at_a_time(db.engine, "release"):
        migrations.upgrade()
        Role.insert_roles()


def empty_database() -> None:
    """Drop every table, and create the current ones."""
    drop_tables()
    prepare_database()


def drop_tables() -> None:
    """Drop every table, including those without a model."""
    db.session.remove()
    tables = MetaData()
    with warnings.catch_warnings():
        # SQLAlchemy cannot reflect the index on lower(email), which is dropped with its table.
        warnings.simplefilter("ignore", SAWarning)
        tables.reflect(db.engine)
    tables.drop_all(db.engine)


def ensure_development_administrator() -> Login:
    """Add the administrator of ADMIN_EMAIL unless there is one, and return the login."""
    email, password = current_app.config["ADMIN_EMAIL"], current_app.config["ADMIN_PASSWORD"]
    user = User.with_email(email)
    if user is None:
        password = password or secrets.token_urlsafe(12)
        make_administrator(email, password)
        return Login(email, password)
    return Login(email, password if password and user.verify_password(password) else None)


def ensure_production_administrator() -> bool:
    """Add the administrator of ADMIN_EMAIL and ADMIN_PASSWORD. Return False if the user exists already.

    Raises :class:`SetupError` if either is missing or the password is weak.
    """
    email, password = current_app.config["ADMIN_EMAIL"], current_app.config["ADMIN_PASSWORD"]
    if email.endswith("@example.com"):
        raise SetupError("ADMIN_EMAIL: set it to the administrator's own email address.")
    if User.with_email(email):
        return False
    if not password:
        raise SetupError("ADMIN_PASSWORD: set it to the administrator's password, for this one command.")
    refuse_weak_password(password, email)
    make_administrator(email, password)
    return True


def refuse_weak_password(password: str, email: str) -> None:
    """Raise :class:`SetupError` unless the password meets the rule of the site's forms."""
    strength = assess(password, personal_words(email))
    if strength.problem:
        raise SetupError(" ".join(["The password cannot be used.", strength.problem, *strength.advice]))


def make_administrator(email: str, password: str) -> User:
    """Add a confirmed administrator, commit, and return it."""
    user = User(
        email=email,
        password=password,
        first_name="Site",
        last_name="Administrator",
        confirmed=True,
        role=_administrator_role(),
    )
    db.session.add(user)
    AuditEvent.record("user.created", subject=user, by="command line")
    db.session.commit()
    return user


def promote_to_administrator(user: User) -> None:
    """Give an existing user the administrator's role, and commit."""
    user.role = _administrator_role()
    AuditEvent.record("user.role_changed", subject=user, by="command line")
    db.session.commit()


def _administrator_role() -> Role:
    role = Role.with_name("Administrator")
    if role is None:
        raise SetupError("There are no roles yet. Run: manage.py release")
    return role
