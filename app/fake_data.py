"""Fake users, to see how pages look and perform with many rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from itertools import count, islice
from random import Random
from secrets import token_hex, token_urlsafe
from typing import Any

import click
from flask import current_app
from sqlalchemy import JSON, Select, case, func, insert, literal, select, text

from app.extensions import db
from app.kit.auth.passwords import hash_password
from app.kit.auth.user_agent import browser_label
from app.kit.db import search_index
from app.kit.db.database import utc_now
from app.kit.db.indexes import create_missing_indexes, drop_indexes
from app.models import USER_STATES, AuditEvent, Role, User, UserSession

# With few rows a transaction, a database would write the pages of its indexes again and again.
CHUNK = 10_000
DAYS_BACK = 400
NAMES = 2000

# Shortened User-Agent headers.
BROWSERS = (
    "Firefox/145.0 (X11; Linux)",
    "Chrome/142.0 (Windows NT 10.0)",
    "Safari/605.1 (Macintosh; Mac OS X)",
    "Chrome/142.0 (Linux; Android 16)",
    "Safari/604.1 (iPhone)",
)

Row = dict[str, Any]


def add_fake_users(
    count: int, password: str | None = None, on_progress: Callable[[int], Any] = lambda added: None
) -> None:
    """Add ``count`` users with the default role, their events and sessions, and the fake data of each area.

    With ``password`` a developer can log in as any of them; without one nobody can. Each batch is committed, so a
    run that is interrupted keeps what it has added. ``on_progress`` is called with the number of users of each.
    """
    role = Role.for_newcomers()
    # One hash for all users: ten thousand hashes would take minutes.
    password_hash = hash_password(password or token_urlsafe(32))
    if db.engine.dialect.name == "sqlite":
        # Ten indexes do not fit into the 2 MB that SQLite keeps in memory otherwise.
        db.session.execute(text("PRAGMA cache_size = -256000"))
    people = islice(_invent_people(min(count, NAMES), role.id if role else None, password_hash), count)
    with _indexed_afterwards() if count > max(CHUNK, _newest_id()) else nullcontext():
        while chunk := list(islice(people, CHUNK)):
            _insert(chunk)
            on_progress(len(chunk))
    for add_rows in current_app.extensions["fake_data_of_areas"]:
        add_rows(count)


@contextmanager
def _indexed_afterwards() -> Iterator[None]:
    """Index all rows at the end, even if the command is interrupted: row by row takes five times as long.

    After a command that was killed, `manage.py reindex` creates the indexes.
    """
    tables = [User.__table__, AuditEvent.__table__]
    # PostgreSQL would wait for the session's own lock, because it has read the table.
    db.session.commit()
    with db.engine.begin() as connection:
        search_index.drop_index(connection, User.__table__)
        drop_indexes(connection, tables)
    try:
        yield
    finally:
        db.session.rollback()
        with db.engine.begin() as connection:
            create_missing_indexes(connection, tables)
            search_index.create_index(connection, User.__table__)


def _newest_id() -> int:
    return db.session.scalar(select(func.max(User.id))) or 0


def _insert(people: list[Row]) -> None:
    """Insert users with the event of joining, and those who were here lately with a session; commit."""
    newest = _newest_id()
    # Otherwise SQLAlchemy inserts rows with a NULL in batches of their own, two or three rows each.
    db.session.execute(insert(User), people, execution_options={"render_nulls": True})
    db.session.execute(insert(AuditEvent).from_select(["event", "subject_id", "created_at"], _joining(newest)))
    if sessions := list(_invent_sessions(newest)):
        db.session.execute(insert(UserSession), sessions)
        columns = ["event", "actor_id", "subject_id", "created_at", "ip_address", "details"]
        db.session.execute(insert(AuditEvent).from_select(columns, _logging_in(newest)))
    db.session.commit()


def _invent_people(names: int, role_id: int | None, password_hash: str) -> Iterator[Row]:
    # Imported here: its word lists take 25 MB, and nothing else needs them.
    try:
        from faker import Faker
    except ModuleNotFoundError as error:
        raise click.ClickException("Faker is not installed here; the site's image leaves it out.") from error
    faker, random, now = Faker(), Random(), utc_now()  # noqa: S311 - nothing here is a secret
    # Faker takes 20 µs for a name, half a minute for a million users.
    first_names = [faker.first_name() for _ in range(names)]
    last_names = [faker.last_name() for _ in range(names)]
    for number in count(_newest_id() + 1):
        first_name, last_name = random.choice(first_names), random.choice(last_names)
        email = f"{first_name}.{last_name}{number}@example.com".lower()
        yield {
            "first_name": first_name,
            "last_name": last_name,
            "email": email,
            "role_id": role_id,
            **_invent_state(random, now, password_hash),
        }


def _invent_state(random: Random, now: datetime, password_hash: str) -> Row:
    """Return the columns of a state: most users are active, and more joined lately than a year ago."""
    luck, joined_at = random.random(), now - timedelta(days=DAYS_BACK * random.random() ** 2)
    return {
        "created_at": joined_at,
        "password_hash": None if luck < 0.05 else password_hash,
        "is_invited": luck < 0.05,
        "confirmed": luck >= 0.15,
        "disabled_at": now - (now - joined_at) * random.random() if luck > 0.98 else None,
        "disabled_reason": "Sent advertising" if luck > 0.98 else "",
    }


def _joining(after_id: int) -> Select[str, int, datetime]:
    event = case((User.is_invited, "user.invited"), else_="user.registered")
    return select(event, User.id, User.created_at).where(User.id > after_id)


def _invent_sessions(after_id: int) -> Iterator[Row]:
    """Yield a session of each active user whose latest visit, some time after joining, was not too long ago."""
    random, now = Random(), utc_now()  # noqa: S311 - nothing here is a secret
    oldest = now - current_app.config["SESSION_IDLE_LIFETIME"]
    active = select(User.id, User.created_at).where(User.id > after_id, USER_STATES["active"])
    for user_id, joined_at in db.session.execute(active):
        seen_at = now - (now - joined_at) * random.random()
        if seen_at > oldest:
            yield {
                "user_id": user_id,
                # Of no token: nobody is logged in with it.
                "token_hash": token_hex(32),
                "created_at": seen_at,
                "last_seen_at": seen_at,
                "reauthenticated_at": seen_at,
                "ip_address": f"203.0.113.{random.randrange(1, 255)}",
                "user_agent": random.choice(BROWSERS),
                "remembered": True,
            }


def _logging_in(after_id: int) -> Select[Any]:
    details = {name: literal({"browser": browser_label(name), "ways": "password"}, JSON) for name in BROWSERS}
    user_id, session = UserSession.user_id, UserSession
    columns = (user_id, user_id, session.created_at, session.ip_address, case(details, value=session.user_agent))
    return select(literal("user.logged_in"), *columns).where(user_id > after_id)
