"""Flask-Migrate, imported only when somebody migrates.

Alembic loads every SQL dialect and a template engine: 11 MB and 0.3 s that a web process would spend at each start
and never use. So only these functions and ``manage.py db`` import it.
"""

import logging
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

DIRECTORY = Path("migrations")
AHEAD = "The database has the migration {}, which is not in migrations/versions."
AHEAD_CURE = "Switch back to its branch or release. On your own machine, manage.py dev --reset empties the database."

# Alembic logs each of its plugins when it is imported.
logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)


class MigrationError(click.ClickException):
    """The migrations cannot run. The message says why; a command ends with it."""


class MigrateCommands(click.Group):
    """``manage.py db …``: an entry in the list of commands, which loads Flask-Migrate's own commands when called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of Flask-Migrate's group, with Flask-Migrate bound to the app."""
        # Imported only when somebody migrates; see above.
        from flask_migrate.cli import db

        if parent is not None:
            app = parent.ensure_object(ScriptInfo).load_app()
            bind(app)
            if args[:1] in (["migrate"], ["upgrade"]) and not {"--help", "--sql"} & set(args):
                with app.app_context():
                    _refuse(args[0])
        context: click.Context = db.make_context(info_name, args, parent=parent, **extra)
        return context


def init_app(app: Flask) -> None:
    """Bind Flask-Migrate when ``flask db …`` creates the app, since that command is Flask-Migrate's own."""
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().invoked_subcommand == "db":
        bind(app)


def bind(app: Flask) -> None:
    """Bind Flask-Migrate to ``app``; it compares types, and copies SQLite's tables where it cannot alter them."""
    # Imported only when somebody migrates; see above.
    from flask_migrate import Migrate

    Migrate(app, app.extensions["sqlalchemy"], directory=str(DIRECTORY), compare_type=True, render_as_batch=True)


def upgrade(revision: str = "head") -> None:
    """Upgrade the current application's database to ``revision``, by default the newest migration.

    Raises :class:`MigrationError` if there is no way there. Flask-Migrate's own function would end the process.
    """
    # Imported only when somebody migrates; see above.
    from alembic import command
    from alembic.util.exc import CommandError

    try:
        command.upgrade(_alembic_config(), revision)
    except CommandError as error:
        cure = "If both sides of a merge added migrations, run: manage.py db merge heads"
        raise MigrationError(ahead() or f"{str(error).rstrip('.')}. {cure}") from error


def _alembic_config() -> Any:
    bind(current_app._get_current_object())  # type: ignore[attr-defined]
    return current_app.extensions["migrate"].migrate.get_config(str(DIRECTORY))


def ahead() -> str | None:
    """Return that the database has migrations which this code lacks, and the cure, or None if it has none."""
    unknown = unknown_revisions()
    return f"{AHEAD.format(', '.join(sorted(unknown)))} {AHEAD_CURE}" if unknown else None


def unknown_revisions() -> set[str]:
    """Return the revisions of the current application's database that this code lacks, those of another branch."""
    current = current_revisions()
    return set() if current == newest_revisions() else current - known_revisions()


def known_revisions(directory: Path = DIRECTORY) -> set[str]:
    """Return all revisions that this code has."""
    # Imported only when somebody restores a backup; see above.
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(directory)).walk_revisions()}


def _refuse(command: str) -> None:
    if message := ahead():
        raise MigrationError(message)
    if command == "migrate" and are_pending():
        raise click.ClickException("The database lacks migrations that are in migrations/. First: manage.py db upgrade")


def are_pending() -> bool:
    """Return whether the current application's database lacks a migration, or has one that this code lacks."""
    return current_revisions() != newest_revisions()


def current_revisions() -> set[str]:
    """Return the revisions of the current application's database, none if no migration has run."""
    with current_app.extensions["sqlalchemy"].engine.connect() as connection:
        try:
            return set(connection.scalars(text("SELECT version_num FROM alembic_version")))
        except DBAPIError:
            connection.rollback()
            if inspect(connection).has_table("alembic_version"):
                raise
            return set()


def difference() -> str | None:
    """Return how the tables differ from the models, or None. Needs a database that is up to date."""
    # Imported only when somebody looks for mistakes; see above.
    from alembic import command
    from alembic.util.exc import AutogenerateDiffsDetected

    config = _alembic_config()
    config.stdout = StringIO()
    try:
        command.check(config)
    except AutogenerateDiffsDetected as error:
        return str(error)
    return None


@cache
def newest_revisions(directory: Path = DIRECTORY) -> frozenset[str]:
    """Return the revisions that no other one follows, as ``manage.py db heads`` lists them."""
    # Imported when a worker is first asked whether its database is up to date: it takes 0.1 s and 4 MB.
    from alembic.script import ScriptDirectory

    return frozenset(ScriptDirectory(str(directory)).get_heads())
