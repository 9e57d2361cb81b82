"""A database that lacks a migration, or a column: what the developer sees instead of an error."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from werkzeug.debug import DebuggedApplication
from werkzeug.test import Client

from app import commands
from app.dev.views import migrations
from app.kit.db.migrations import newest_revisions


@pytest.fixture
def pending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that a migration has not run."""
    monkeypatch.setattr("app.kit.db.migrations.are_pending", lambda: True)


def test_a_pending_migration_is_a_page_with_a_button(app: Flask, db: SQLAlchemy, pending: None) -> None:
    with app.test_request_context("/admin/users"):
        page, status = migrations.show_pending_migrations() or ("", 0)
    assert status == 503
    assert "The database lacks a migration" in page
    assert 'action="/dev/migrate"' in page
    assert 'name="csrf_token"' in page


def test_the_button_is_not_caught_by_its_own_page(app: Flask, db: SQLAlchemy, pending: None) -> None:
    with app.test_request_context("/dev/migrate", method="POST"):
        assert migrations.show_pending_migrations() is None


def test_nothing_is_shown_when_nothing_is_pending(app: Flask, db: SQLAlchemy) -> None:
    with app.test_request_context("/"):
        assert migrations.show_pending_migrations() is None


def test_the_button_runs_the_migrations_and_leads_back(client: FlaskClient) -> None:
    response = client.post("/dev/migrate", headers={"Referer": "http://localhost/about"})
    assert (response.status_code, response.location) == (302, "/about")


@pytest.mark.parametrize(
    "statement", ["SELECT gone FROM users", "SELECT 1 FROM gone", "INSERT INTO roles (gone) VALUES (1)"]
)
def test_what_is_missing_in_the_database_comes_with_the_command(db: SQLAlchemy, statement: str) -> None:
    with pytest.raises(DBAPIError) as caught:
        db.session.execute(text(statement))
    db.session.rollback()
    assert "manage.py db upgrade" in caught.value.__notes__[0]
    assert "manage.py db migrate" in caught.value.__notes__[0]


def test_the_page_of_the_error_shows_the_command(app: Flask, db: SQLAlchemy) -> None:
    def application(_environ: object, _start_response: object) -> None:
        with app.app_context():
            db.session.execute(text("SELECT gone FROM users"))

    assert "manage.py db upgrade" in Client(DebuggedApplication(application)).get("/").text  # type: ignore[arg-type]


@pytest.fixture
def ahead(db: SQLAlchemy) -> Iterator[None]:
    """Give the database the revision of another branch."""
    with db.engine.begin() as connection:
        before = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'of_a_branch'"))
    yield
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": before})


def test_the_database_of_another_branch_is_told_with_the_cure(app: Flask, client: FlaskClient, ahead: None) -> None:
    with app.test_request_context("/"):
        page, status = migrations.show_pending_migrations() or ("", 0)
    pressed = client.post("/dev/migrate")
    for text_of_page, code in ((page, status), (pressed.text, pressed.status_code)):
        assert code == 503
        assert "has the migration of_a_branch" in text_of_page
        assert "manage.py dev --reset" in text_of_page
        assert "Run the migrations" not in text_of_page


@pytest.mark.parametrize("arguments", [["release"], ["db", "migrate"], ["db", "upgrade"]])
def test_the_database_of_another_branch_ends_a_command_with_one_line(
    app: Flask, ahead: None, arguments: list[str]
) -> None:
    result = CliRunner().invoke(commands.command_line(lambda: app), arguments)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: The database has the migration of_a_branch")


def test_two_branches_that_were_merged_are_told_with_the_command(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree("migrations", tmp_path / "migrations")
    [newest] = newest_revisions()
    for name in ("one", "two"):
        (folder / "versions" / f"{name}.py").write_text(f"revision = {name!r}\ndown_revision = {newest!r}\n")
    monkeypatch.setattr("app.kit.db.migrations.DIRECTORY", folder)
    response = client.post("/dev/migrate")
    assert response.status_code == 503
    assert "Multiple head revisions" in response.text
    assert "manage.py db merge heads" in response.text
