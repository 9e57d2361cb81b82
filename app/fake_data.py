"""Fake users, to see how pages look and perform with many rows."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from secrets import token_hex, token_urlsafe
from typing import Any

import click
from flask import current_app
from sqlalchemy import insert

from app.extensions import db
from app.kit.auth.passwords import hash_password
from app.kit.db.database import utc_now
from app.models import Role, User

CHUNK = 500
DAYS_BACK = 400


def add_fake_users(
    count: int, password: str | None = None, on_progress: Callable[[int], Any] = lambda added: None
) -> None:
    """Add ``count`` users with the default role, and the fake data of each area, and commit.

    With ``password`` a developer can log in as any of them; without one nobody can. ``on_progress`` is
    called after each batch with the number of users it added.
    """
    role = Role.for_newcomers()
    # One hash for all users: ten thousand hashes would take minutes.
    password_hash = hash_password(password or token_urlsafe(32))
    people = _invent_people(role.id if role else None, password_hash)
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        db.session.execute(insert(User), [next(people) for _ in range(size)])
        on_progress(size)
    db.session.commit()
    for add_rows in current_app.extensions["fake_data_of_areas"]:
        add_rows(count)


def _invent_people(role_id: int | None, password_hash: str) -> Iterator[dict[str, Any]]:
    # Imported here: its word lists take 25 MB, and nothing else needs them.
    try:
        from faker import Faker
    except ModuleNotFoundError as error:
        raise click.ClickException("Faker is not installed here; the site's image leaves it out.") from error
    faker, random, now = Faker(), Random(), utc_now()  # noqa: S311 - nothing here is a secret
    while True:
        first_name, last_name = faker.first_name(), faker.last_name()
        yield {
            "first_name": first_name,
            "last_name": last_name,
            "email": f"{first_name}.{last_name}.{token_hex(4)}@example.com".lower(),
            "password_hash": password_hash,
            "role_id": role_id,
            "confirmed": random.random() < 0.8,
            "created_at": now - timedelta(days=random.random() * DAYS_BACK),
        }
