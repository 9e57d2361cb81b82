"""Tests for backups of the whole site: a filled database comes back, row by row, and nothing is overwritten."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Boolean, Date, Integer, LargeBinary, Table, insert, select, text

from app import backups, create_app, jobs
from app.kit.db import migrations
from app.kit.db.backup_file import BackupError
from app.kit.db.database import UTCDateTime, utc_now
from app.models import Role, User
from tests.factories import make_user
from tests.test_operations import empty_database

WORDS = 'Ada\'s "ä"\n\\ 🐎 100%_'


@pytest.fixture
def runner(app: Flask, db: SQLAlchemy) -> FlaskCliRunner:
    """Return a runner for commands in the tests' application."""
    return app.test_cli_runner()


@pytest.fixture
def empty_site(database_url: str, tmp_path: Path, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Yield the application with an empty database."""
    with empty_database(database_url, tmp_path) as url:
        monkeypatch.setenv("TEST_DATABASE_URL", url)
        site = create_app("testing")
        with site.app_context():
            yield site
            site.extensions["sqlalchemy"].engine.dispose()


def fill(database: SQLAlchemy) -> None:
    """Insert two rows into every table, the tables of a fork included."""
    for table in database.metadata.sorted_tables:
        if table.name != "roles":
            rows = [{column.name: value_for(column, number) for column in table.columns} for number in (1, 2)]
            database.session.execute(insert(table), rows)
    database.session.commit()


def value_for(column, number: int) -> object:
    if column.foreign_keys:
        return number
    if column.nullable and number == 2:
        return None
    match column.type:
        case JSON():
            return {WORDS: [number, None, True]}
        case Boolean():
            return number == 1
        case Integer():
            return number
        case UTCDateTime():
            return utc_now() - timedelta(days=number, microseconds=number)
        case Date():
            return utc_now().date() - timedelta(days=number)
        case LargeBinary():
            return bytes([number])
    return f"{number}{WORDS}"[: getattr(column.type, "length", None) or 50]


def rows_of(database: SQLAlchemy) -> dict[str, list[object]]:
    tables: list[Table] = database.metadata.sorted_tables
    found = {table.name: database.session.execute(select(table).order_by(*table.primary_key)).all() for table in tables}
    database.session.rollback()
    return found


@contextmanager
def inside(site: Flask) -> Iterator[SQLAlchemy]:
    with site.app_context():
        yield site.extensions["sqlalchemy"]


def test_every_row_of_every_table_comes_back(db: SQLAlchemy, empty_site: Flask, app: Flask, tmp_path: Path) -> None:
    with inside(app) as filled:
        fill(filled)
        expected, lines = rows_of(filled), []
        backups.back_up(tmp_path / "site.zip", lines.append)
    assert "users: 2 rows" in lines
    assert all(len(rows) >= 2 for rows in expected.values())
    with inside(empty_site) as restored:
        backups.restore(tmp_path / "site.zip", lines.append)
        assert rows_of(restored) == expected
        user = User(email="next@example.org")
        restored.session.add(user)
        restored.session.commit()
        assert user.id > 2


def test_a_backup_of_an_older_schema_is_migrated(db: SQLAlchemy, empty_site: Flask, tmp_path: Path) -> None:
    with inside(empty_site) as database:
        migrations.upgrade("0001")
        with database.engine.begin() as connection:
            connection.execute(text("INSERT INTO roles (name, \"index\", permissions) VALUES ('Old', '', 1)"))
        backups.back_up(tmp_path / "old.zip", print)
        backups.restore(tmp_path / "old.zip", print)
        current = set(database.session.scalars(text("SELECT version_num FROM alembic_version")))
        assert current == migrations.newest_revisions()
        assert {"Old", "User"} <= set(database.session.scalars(select(Role.name)))


def test_a_newer_schema_and_rows_are_refused(db: SQLAlchemy, runner: FlaskCliRunner, tmp_path: Path) -> None:
    make_user(email="ada@example.org")
    db.session.rollback()
    file, newer = tmp_path / "now.zip", tmp_path / "newer.zip"
    assert "is complete" in runner.invoke(args=["backup", str(file)]).output

    refused = runner.invoke(args=["restore", str(file)])
    assert (refused.exit_code, "its table users has 1 row." in refused.output) == (1, True)
    assert User.with_email("ada@example.org")
    db.session.rollback()

    with ZipFile(file) as source, ZipFile(newer, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    manifest = json.loads(ZipFile(newer).read("manifest.json"))
    rewrite(newer, {**manifest, "revisions": ["9999"]})
    refused = runner.invoke(args=["restore", str(newer)])
    assert (refused.exit_code, "newer schema" in refused.output) == (1, True)


def test_a_folder_that_is_not_there_is_no_traceback(runner: FlaskCliRunner, tmp_path: Path) -> None:
    refused = runner.invoke(args=["backup", str(tmp_path / "nowhere" / "site.zip")])
    assert (refused.exit_code, "Error: [Errno 2] No such file" in refused.output) == (1, True)


def rewrite(file: Path, manifest: dict[str, object]) -> None:
    contents = {name: ZipFile(file).read(name) for name in ZipFile(file).namelist()}
    with ZipFile(file, "w") as archive:
        for name, content in {**contents, "manifest.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, content)


def test_a_database_without_tables_has_nothing_to_back_up(empty_site: Flask, tmp_path: Path) -> None:
    with inside(empty_site), pytest.raises(BackupError, match=r"no tables yet. Run: manage.py release"):
        backups.back_up(tmp_path / "none.zip", print)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_each_night_one_is_added_and_the_oldest_goes(
    app: Flask, db: SQLAlchemy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    jobs.back_up()
    assert not list(tmp_path.iterdir()), "off until BACKUP_DIR is set"
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("backup-2026-11-18T02-07-00.zip", "backup-2026-11-19T02-07-00.zip", "mine.zip"):
        (folder / name).touch()
    monkeypatch.setitem(app.config, "BACKUP_DIR", f"{scheme}{folder}")
    monkeypatch.setitem(app.config, "BACKUP_KEEP", 2)

    jobs.back_up()

    kept = sorted(path.name for path in folder.iterdir())
    assert kept[0] == "backup-2026-11-19T02-07-00.zip"
    assert len(kept) == 3
    assert kept[2] == "mine.zip"
