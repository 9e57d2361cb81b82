"""The first contents of the database: tables, roles, and an administrator."""

import secrets
import warnings
from dataclasses import dataclass

from click import ClickException
from flask import current_app
from sqlalchemy import MetaData
from sqlalchemy.exc import SAWarning

from app.extensions import db
from app.kit.auth.email_address import normalized_email
from app.kit.auth.passwords import assess, personal_words
from app.kit.db import migrations
from app.kit.db.exclusive import one_at_a_time
from app.models import AuditEvent, EditableHTML, Role, TextRevision, User, UserSession
from app.name_prompt import AskName, default_name

UNKNOWN_PASSWORD = "known to whoever set it; manage.py dev --new-password makes a new one"  # noqa: S105


class SetupError(ClickException):
    """A setting is missing or a password is weak. The message says what to change; a command ends with it."""


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
        insert_documents()


def insert_documents() -> None:
    """Add the pages of CONSENT_DOCUMENTS that are missing, with a sample text, and commit.

    They are drafts, so that nobody agrees to a sample; only in development they are published, for you to see.
    """
    for name, title in current_app.config["CONSENT_DOCUMENTS"].items():
        text = EditableHTML.get_editable_html(name)
        if text in db.session:
            continue
        text.title, text.published, text.listed = title, current_app.config["NAME"] == "development", True
        sample = current_app.jinja_env.get_template("main/sample_terms_and_privacy.md").render(name=name, title=title)
        TextRevision.write(text, sample, author_id=None)
    db.session.commit()


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


def ensure_development_administrator(ask_name: AskName = default_name, new_password: bool = False) -> Login:
    """Add the administrator of ADMIN_EMAIL unless there is one, and return the login.

    With ``new_password`` an existing one gets ADMIN_PASSWORD or, if that is empty, a random password.
    """
    email, password = _configured_address(), current_app.config["ADMIN_PASSWORD"]
    user = known_user(email)
    if user is not None and not new_password:
        return Login(email, password if password and user.verify_password(password) else None)
    password = password or secrets.token_urlsafe(12)
    if user is None:
        make_administrator(email, password, *ask_name())
    else:
        user.password = password
        UserSession.end_all(user)
        AuditEvent.record("password.changed", subject=user, by="command line")
        db.session.commit()
    return Login(email, password)


def ensure_production_administrator(ask_name: AskName = default_name) -> bool:
    """Add the administrator of ADMIN_EMAIL and ADMIN_PASSWORD. Return False if the user exists already.

    Raises :class:`SetupError` if either is missing, the address is not usable or the password is weak.
    """
    email, password = _configured_address(), current_app.config["ADMIN_PASSWORD"]
    if email.endswith("@example.com"):
        raise SetupError("ADMIN_EMAIL: set it to the administrator's own email address.")
    if known_user(email):
        return False
    if not password:
        raise SetupError("ADMIN_PASSWORD: set it to the administrator's password, for this one command.")
    refuse_weak_password(password, email)
    make_administrator(email, password, *ask_name())
    return True


def _configured_address() -> str:
    try:
        return usable_address(current_app.config["ADMIN_EMAIL"])
    except SetupError as error:
        raise SetupError(f"ADMIN_EMAIL: {error}") from error


def usable_address(typed: str) -> str:
    """Return the address as the site's forms store it. Raises :class:`SetupError` for one that they refuse."""
    address = normalized_email(typed)
    if address is None:
        raise SetupError(f"{typed!r} is not an email address that the site can write to; nobody could log in with it.")
    return address


def known_user(email: str) -> User | None:
    """Return the user with this address; None for a sign-up that was never confirmed.

    Anybody may have signed up with an administrator's address, and then knows the password.
    """
    user = User.with_email(email)
    return None if user is None or user.state == "unconfirmed" else user


def refuse_weak_password(password: str, email: str) -> None:
    """Raise :class:`SetupError` unless the password meets the rule of the site's forms."""
    strength = assess(password, personal_words(email))
    if strength.problem:
        raise SetupError(" ".join(["The password cannot be used.", strength.problem, *strength.advice]))


def make_administrator(email: str, password: str, first_name: str, last_name: str) -> User:
    """Add a confirmed administrator, commit, and return it. A sign-up with the address is taken over."""
    role = _administrator_role()
    user = User.with_email(email) or User(email=email)
    user.password, user.confirmed, user.role = password, True, role
    user.first_name, user.last_name = first_name, last_name
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
