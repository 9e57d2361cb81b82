"""Run the migrations on the application's engine, so that both use the same database."""

import warnings
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Column, Index
from sqlalchemy.schema import SchemaItem

from app.kit.db import search_index
from app.kit.db.database import UTCDateTime
from app.kit.db.indexes import is_for

db = current_app.extensions["migrate"].db
# Alembic compares no index on an expression, and says so about each of ours (include_object, below).
NOT_COMPARED = r"(Skipped unsupported reflection of|autogenerate skipping \S+) expression-based index"


def run_migrations() -> None:
    """Run the migrations, in one transaction if the database supports it."""
    with db.engine.connect() as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", NOT_COMPARED)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
            compare_server_default=False,
            render_item=render_item,
            include_object=include_object,
        )
        with context.begin_transaction():
            context.run_migrations()
            search_index.create_indexes(connection, db.metadata)


def include_object(item: SchemaItem, name: str | None, kind: str, *_: object) -> bool:
    """Return whether a generated migration looks at this part of the models or of the database.

    The index of a search makes itself. Indexes on expressions are compared by their text, which PostgreSQL rewrites.
    Some are for one of the databases only.
    """
    if search_index.is_ours(name, db.metadata) or not is_for(context.get_context().dialect.name, item):
        return False
    return not isinstance(item, Index) or all(isinstance(part, Column) for part in item.expressions)


def render_item(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Return the source of a column type. Our own type needs an import, which Alembic does not add by itself."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogenerate.imports.add("from app.kit.db.database import UTCDateTime")
        return "UTCDateTime()"
    return False


def print_migrations() -> None:
    """Print the migrations as SQL, for a database that somebody else has to change (``--sql``)."""
    context.configure(url=db.engine.url, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    print_migrations()
else:
    run_migrations()
