"""Tests for the migrations, from nothing to the newest and back, on their own database."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect

from app.kit.db import migrations, search_index
from app.kit.db.migrations import newest_revisions
from tests.servers import create_postgres_database

MERGED = {
    "a_first.py": 'revision = "a"\ndown_revision = None\n',
    "b_branch.py": 'revision: str = "b"\ndown_revision: str | None = "a"\n',
    "c_branch.py": 'revision = "c"  # made by hand\ndown_revision = "a"\n',
    "d_merge.py": 'revision = "d"\ndown_revision = (\n    "b",\n    "c",\n)\n',
    "e_branch.py": 'revision = "e"\ndown_revision = "c"\n',
}


@pytest.fixture
def empty_app(app: Flask, database_url: str, tmp_path: Path, monkeypatch) -> Iterator[Flask]:
    """Yield the application on an empty database of the kind that all tests use."""
    from app import create_app

    if database_url.startswith("postgres"):
        with create_postgres_database(database_url) as url:
            yield from _application_on(url, create_app, monkeypatch)
    else:
        yield from _application_on(f"sqlite:///{tmp_path / 'empty.sqlite'}", create_app, monkeypatch)


def _application_on(url: str, create_app, monkeypatch) -> Iterator[Flask]:
    monkeypatch.setenv("TEST_DATABASE_URL", url)
    application = create_app("testing")
    migrations.bind(application)
    with application.app_context():
        yield application
        application.extensions["sqlalchemy"].engine.dispose()


def test_upgrade_makes_exactly_the_models_tables(empty_app):
    assert migrations.current_revisions() == set(), "of a database without the table of revisions"
    upgrade()

    assert migrations.current_revisions() == newest_revisions()
    assert _tables(empty_app) == set(empty_app.extensions["sqlalchemy"].metadata.tables) | {"alembic_version"}
    # Raises SystemExit if a migration would be generated.
    check()


def test_downgrade_leaves_nothing_and_upgrade_works_again(empty_app):
    upgrade()
    downgrade(revision="base")
    assert _tables(empty_app) <= {"alembic_version"}

    upgrade()
    assert "users" in _tables(empty_app)


def test_a_column_that_no_migration_knows_is_found(empty_app):
    db = empty_app.extensions["sqlalchemy"]
    upgrade()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE roles ADD COLUMN forgotten INTEGER")

    with pytest.raises(SystemExit):
        check()


def _tables(app: Flask) -> set[str]:
    db = app.extensions["sqlalchemy"]
    names = set(inspect(db.engine).get_table_names()) - {"sqlite_sequence"}
    return {name for name in names if not search_index.is_ours(name, db.metadata)}


@pytest.mark.parametrize(("count", "newest"), [(0, ""), (1, "a"), (2, "b"), (3, "bc"), (4, "d"), (5, "de")])
def test_the_newest_migrations_are_those_that_alembic_names(tmp_path: Path, count: int, newest: str) -> None:
    (tmp_path / "versions").mkdir()
    for name, text in list(MERGED.items())[:count]:
        (tmp_path / "versions" / name).write_text(text)

    assert newest_revisions(tmp_path) == set(newest) == set(ScriptDirectory(str(tmp_path)).get_heads())


@pytest.mark.thorough
def test_a_migration_is_not_preceded_by_the_names_of_plugins() -> None:
    code = """
import logging
logging.basicConfig(level=logging.INFO)
from app.kit.db import migrations
import alembic.command
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == ""
