"""Flask-Migrate, loaded by whoever migrates.

Alembic brings every SQL dialect and a template engine along: 11 MB and 0.3 s that a web process
would pay at each start and never use.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

DIRECTORY = Path("migrations")


class DeferredMigrate:
    """Stands at ``app.extensions["migrate"]`` and gives way to the real extension when that is looked at."""

    def __init__(self, app: Flask, db: SQLAlchemy, **options: Any) -> None:
        self._arguments = (app, db)
        self._options = options

    def __getattr__(self, name: str) -> Any:
        # Loaded when somebody migrates; see above.
        from flask_migrate import Migrate

        app, db = self._arguments
        Migrate(app, db, **self._options)
        return getattr(app.extensions["migrate"], name)


class MigrateCommands(click.Group):
    """``manage.py db …``: stands in the list of commands, and hands over to Flask-Migrate's own when called."""

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        # Loaded when somebody migrates; see above.
        from flask_migrate.cli import db

        context: click.Context = db.make_context(*arguments, **extra)
        return context


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Let ``app`` migrate ``db``; types are compared, and SQLite's tables copied where it cannot alter them."""
    app.extensions["migrate"] = DeferredMigrate(
        app, db, directory=str(DIRECTORY), compare_type=True, render_as_batch=True
    )


@cache
def newest_revisions(directory: Path = DIRECTORY) -> frozenset[str]:
    """Answer the migrations that no other one follows, as ``manage.py db heads`` lists them.

    Read from the files, once: a web process that is asked whether its database is up to date does
    without Alembic, too.
    """
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in (directory / "versions").glob("*.py"):
        for name, value in _identifiers(path.read_text()):
            names = {value} if isinstance(value, str) else set(value or ())
            (revisions if name == "revision" else followed).update(names)
    return frozenset(revisions - followed)


def _identifiers(migration: str) -> Iterator[tuple[str, Any]]:
    for statement in ast.parse(migration).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="revision" | "down_revision" as name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id="revision" | "down_revision" as name), value=ast.expr() as value)
            ):
                yield name, ast.literal_eval(value)
