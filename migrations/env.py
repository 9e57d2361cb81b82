"""Runs the migrations on the application's own engine, so that both always mean the same database."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

from app.kit.db.database import UTCDateTime

db = current_app.extensions["migrate"].db


def run_migrations() -> None:
    """Run the wanted migrations, all in one transaction where the database can."""
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
            compare_server_default=False,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()


def render_item(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Have a new migration import our own type, which Alembic would name without importing it."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogenerate.imports.add("from app.kit.db.database import UTCDateTime")
        return "UTCDateTime()"
    return False


def print_migrations() -> None:
    """Write the migrations as SQL, for who may not change the database by themselves (``--sql``)."""
    context.configure(url=db.engine.url, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    print_migrations()
else:
    run_migrations()
