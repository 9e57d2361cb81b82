"""Tests for the commands of whoever runs a site."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine, make_url, text

from app import operations
from tests.servers import create_postgres_database
from tests.servers.web import ROOT, production_environment


@contextmanager
def empty_database(database_url: str, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database of the kind that all tests use."""
    if database_url.startswith("postgres"):
        with create_postgres_database(database_url) as url:
            yield url
    else:
        yield f"sqlite:///{folder / 'empty.sqlite'}"


@pytest.fixture
def variables(database_url: str, redis_url: str, tmp_path: Path, app: object) -> Iterator[dict[str, str]]:
    """Yield the settings of a production site whose database is empty; ``app`` builds its assets."""
    with empty_database(database_url, tmp_path) as url:
        yield {**os.environ, **production_environment(url, redis_url, 80)}


@pytest.fixture
def runner(app: Flask, db: SQLAlchemy) -> FlaskCliRunner:
    """Return a runner for commands in the tests' application."""
    return app.test_cli_runner()


def begin(variables: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.mark.thorough
def test_of_three_releases_at_once_one_works_and_the_others_wait(variables: dict[str, str]) -> None:
    processes = [begin(variables, "release") for _ in range(3)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert sum("Running upgrade" in output for output in outputs) == 1
    engine = create_engine(variables["DATABASE_URL"])
    with engine.connect() as database:
        assert database.scalar(text("SELECT count(*) FROM roles WHERE name = 'User'")) == 1
    engine.dispose()


def test_a_release_names_its_target_but_not_the_password(runner: FlaskCliRunner, monkeypatch) -> None:
    url = make_url("postgresql+psycopg://ada:hunter2@db.example/site?password=hunter2")
    monkeypatch.setattr(operations, "db", SimpleNamespace(engine=SimpleNamespace(url=url)))

    output = runner.invoke(args=["release"]).output

    assert output == "Environment: testing. Database: postgresql+psycopg://ada:***@db.example/site\n"


@pytest.mark.parametrize("command", ["release", "setup_prod"])
def test_a_deployment_is_refused_where_nobody_named_the_environment(
    runner: FlaskCliRunner, app: Flask, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setitem(app.config, "NAME", "development")
    monkeypatch.delenv("FLASK_CONFIG", raising=False)
    monkeypatch.setattr(operations, "setup", None)

    result = runner.invoke(args=[command])

    assert result.exit_code == 1
    assert "FLASK_CONFIG is missing" in result.output
