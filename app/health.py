"""The health checks of /up/ready and of the admin dashboard."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import redis
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.kit.db import migrations
from app.kit.db.database import utc_now
from app.kit.db.search import has_words_only, index_name
from app.kit.db.search_index import is_missing, searchable_tables
from app.kit.jobs import queue
from app.kit.jobs.sweeper import SIGN_OF_LIFE
from app.kit.pages.moments import in_words
from app.models import Email, ScheduledJob


@dataclass(frozen=True)
class Check:
    """The result for one part of the application. ``detail`` is a sentence for administrators only."""

    name: str
    ok: bool
    detail: str
    is_vital: bool = True


def checks() -> list[Check]:
    """Return the result of every check. A part that fails is reported, not raised."""
    return [
        _check("database", _database),
        _check("migrations", _migrations),
        _check("queue", _queue),
        _check("worker", _worker),
        _check("mail", _mail),
        # A site whose search is slow still serves.
        _check("search", _search, is_vital=False),
    ]


def _check(name: str, look: Callable[[], tuple[bool, str]], is_vital: bool = True) -> Check:
    try:
        ok, detail = look()
    except (SQLAlchemyError, redis.RedisError, OSError) as error:
        db.session.rollback()
        ok, detail = False, f"It is not reachable ({type(error).__name__})."
    return Check(name, ok, detail, is_vital)


def _database() -> tuple[bool, str]:
    db.session.execute(select(1))
    return True, "It is reachable."


def _migrations() -> tuple[bool, str]:
    if not migrations.are_pending():
        return True, "They are up to date."
    if not migrations.current_revisions():
        return False, "None has run yet: run manage.py db upgrade."
    if unknown := migrations.unknown_revisions():
        return False, migrations.AHEAD.format(", ".join(sorted(unknown)))
    return False, "They are not up to date: run manage.py db upgrade."


def _search() -> tuple[bool, str]:
    connection = db.session.connection()
    missing = [table.name for table in searchable_tables(db.metadata) if is_missing(connection, table)]
    if missing:
        return False, "It has no index: run manage.py reindex."
    if any(has_words_only(db.engine, index_name(table)) for table in searchable_tables(db.metadata)):
        return True, "It finds only the beginnings of words: PostgreSQL's extension pg_trgm is missing."
    return True, "It has its index."


def _queue() -> tuple[bool, str]:
    if not current_app.config["REDIS_URL"]:
        return False, queue.WITHOUT_REDIS
    queue.ping()
    return True, "It is reachable."


def _worker() -> tuple[bool, str]:
    seen_at = ScheduledJob.last_run(SIGN_OF_LIFE)
    if seen_at is None:
        return False, "It was never seen: start manage.py run_worker."
    return utc_now() - seen_at < current_app.config["WORKER_SILENCE_LIMIT"], f"It was last seen {_age(seen_at)} ago."


def _mail() -> tuple[bool, str]:
    oldest = Email.oldest_unsent_at()
    if oldest is None:
        return True, "Nothing waits to be sent."
    is_recent = utc_now() - oldest < current_app.config["UNSENT_EMAIL_AGE_LIMIT"]
    return is_recent, f"The oldest unsent email has waited {_age(oldest)}."


def _age(moment: datetime) -> str:
    return in_words(max(0, (utc_now() - moment).total_seconds()))
