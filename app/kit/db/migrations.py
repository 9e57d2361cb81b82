"""Flask-Migrate, bound by whoever migrates.

Alembic brings every SQL dialect and a template engine along: 11 MB and 0.3 s that a web process
would pay at each start and never use. So only these functions and ``manage.py db`` import it.
"""

from functools import cache
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo

DIRECTORY = Path("migrations")


class MigrateCommands(click.Group):
    """``manage.py db …``: stands in the list of commands, and hands over to Flask-Migrate's own when called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        # Loaded when somebody migrates; see above.
        from flask_migrate.cli import db

        if parent is not None:
            bind(parent.ensure_object(ScriptInfo).load_app())
        context: click.Context = db.make_context(info_name, args, parent=parent, **extra)
        return context


def init_app(app: Flask) -> None:
    """Bind Flask-Migrate where ``flask db …`` makes the app: that command is Flask-Migrate's own."""
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().invoked_subcommand == "db":
        bind(app)


def bind(app: Flask) -> None:
    """Let ``app`` migrate its database; types are compared, and SQLite's tables copied where it cannot alter them."""
    # Loaded when somebody migrates; see above.
    from flask_migrate import Migrate

    Migrate(app, app.extensions["sqlalchemy"], directory=str(DIRECTORY), compare_type=True, render_as_batch=True)


def upgrade() -> None:
    """Bring the tables of the current application to the newest migration."""
    # Loaded when somebody migrates; see above.
    from flask_migrate import upgrade as flask_migrate_upgrade

    bind(current_app._get_current_object())  # type: ignore[attr-defined]
    flask_migrate_upgrade()


@cache
def newest_revisions(directory: Path = DIRECTORY) -> frozenset[str]:
    """Return the migrations that no other one follows, as ``manage.py db heads`` lists them."""
    # Loaded when a worker is first asked whether its database is up to date: 0.1 s, and 4 MB of that worker.
    from alembic.script import ScriptDirectory

    return frozenset(ScriptDirectory(str(directory)).get_heads())
