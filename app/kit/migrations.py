"""Flask-Migrate, loaded by whoever migrates.

Alembic brings every SQL dialect and a template engine along: 11 MB and 0.3 s that a web process
would pay at each start and never use.
"""

from typing import Any

import click
from flask import Flask
from flask_sqlalchemy import SQLAlchemy


class DeferredMigrate:
    """Stands at ``app.extensions["migrate"]`` and gives way to the real extension when that is looked at."""

    def __init__(self, app: Flask, db: SQLAlchemy, **options: Any) -> None:
        self._arguments = (app, db)
        self._options = options

    def __getattr__(self, name: str) -> Any:
        from flask_migrate import Migrate

        app, db = self._arguments
        Migrate(app, db, **self._options)
        return getattr(app.extensions["migrate"], name)


class MigrateCommands(click.Group):
    """``manage.py db …``: what Flask-Migrate offers."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return _real_commands().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _real_commands().get_command(ctx, cmd_name)


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Let ``app`` migrate ``db``; types are compared, and SQLite's tables copied where it cannot alter them."""
    app.extensions["migrate"] = DeferredMigrate(app, db, compare_type=True, render_as_batch=True)


def _real_commands() -> click.Group:
    from flask_migrate.cli import db

    commands: click.Group = db
    return commands
