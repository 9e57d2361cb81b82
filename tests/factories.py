"""Make users for tests, saved unless the docstring says otherwise."""

from datetime import timedelta
from itertools import count

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.extensions import db
from app.kit.db.database import utc_now
from app.models import Flow, Role, User, UserSession
from app.models.flow import SHAPE, digest

PASSWORD = "correct-horse-battery-staple"
_numbers = count(1)


def make_user(role: str = "User", **attributes: object) -> User:
    """Return a saved, confirmed user with ``PASSWORD``; ``attributes`` override its defaults."""
    number = next(_numbers)
    values = {
        "first_name": "Ada",
        "last_name": f"Wren{number}",
        "email": f"ada{number}@example.org",
        "password": PASSWORD,
        "confirmed": True,
        "role": Role.with_name(role),
        **attributes,
    }
    user = User(**values)
    db.session.add(user)
    db.session.commit()
    return user


def make_admin(**attributes: object) -> User:
    """Return a saved administrator."""
    return make_user("Administrator", **attributes)


def make_role(name: str, permissions: int) -> Role:
    """Return a saved role; use the fixture ``kept_roles``, which deletes it."""
    role = Role(name=name, permissions=int(permissions), index="main")
    db.session.add(role)
    db.session.commit()
    return role


def make_invited(**attributes: object) -> User:
    """Return a saved user who was invited and has no password yet."""
    user = make_user(confirmed=False, **attributes)
    user.password_hash, user.is_invited = None, True
    db.session.commit()
    return user


def make_flow(browser: str, purpose: str, user: User | None = None, **data: object) -> Flow:
    """Return a saved flow that began in the browser whose session holds this key."""
    version = user.access_version if user else 0
    flow = Flow(
        purpose=purpose,
        token_hash=digest(f"token {next(_numbers)}"),
        browser_hash=digest(browser),
        user=user,
        data={"shape": SHAPE, "access_version": version, **data},
        expires_at=utc_now() + timedelta(minutes=5),
    )
    db.session.add(flow)
    db.session.commit()
    return flow


def let_in(client: FlaskClient, user: User) -> None:
    """Give the browser a session of ``user``: faster than the form, and without its emails and checks."""
    _row, token = UserSession.start(user, remembered=False, ip_address="192.0.2.1", user_agent="a browser")
    db.session.commit()
    with client.session_transaction() as session:
        session["_user_id"] = token


def browser_of(app: Flask, user: User) -> FlaskClient:
    """Return a browser in which ``user`` is logged in."""
    client = app.test_client()
    let_in(client, user)
    return client


def sign_in(client: FlaskClient, user: User, password: str = PASSWORD, remember: bool = False) -> TestResponse:
    """Log ``user`` in through the login form; return its response."""
    form = {"email": user.email, "password": password}
    if remember:
        form["remember_me"] = "y"
    response = client.post("/account/login", data=form)
    assert response.status_code == 302, "the login was refused"
    return response
