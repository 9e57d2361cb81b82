"""One application, database, queue server and mail sink per test process; each test finds them empty."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app.kit.db.migrations import upgrade
from app.kit.http import caching
from tests.separate_requests import SeparateRequests
from tests.servers import create_postgres_database, start_mail_sink, start_redis
from tests.servers.mail_sink import MailSink

KEPT_TABLES = {"roles", "alembic_version"}


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test process alone."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="session")
def database_url(workspace: Path) -> Iterator[str]:
    """The address of an empty database: SQLite, or one of our own on the server at TEST_DATABASE_URL."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if server.startswith("postgres"):
        with create_postgres_database(server) as url:
            yield url
    else:
        yield f"sqlite:///{workspace / 'test.sqlite'}"


@pytest.fixture(scope="session")
def redis_url(workspace: Path) -> Iterator[str]:
    """The address of a real queue server."""
    with start_redis(workspace / "redis") as url:
        yield url


@pytest.fixture(scope="session")
def app(database_url: str, redis_url: str, workspace: Path) -> Iterator[Flask]:
    """The application in its testing configuration, its tables made by the migrations and its assets built."""
    from app import create_app, limiter
    from app.assets import build_stale_assets
    from app.models import Role

    os.environ.update(TEST_DATABASE_URL=database_url, REDIS_URL=redis_url)
    application = create_app("testing")
    limiter.enabled = False
    application.test_client_class = SeparateRequests
    application.config["MAILBOX_DIR"] = workspace / "mailbox"
    application.config["MAILBOX_DIR"].mkdir()
    with application.app_context():
        upgrade()
        Role.insert_roles()
        build_stale_assets(application.extensions["assets"])
    # Looking for newer sources takes an eighth of each page's time, and no test changes any.
    application.config["ASSETS_AUTO_BUILD"] = False
    yield application
    with application.app_context():
        application.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def db(app: Flask) -> Iterator[SQLAlchemy]:
    """The database inside an application context, emptied afterwards."""
    from app.extensions import fragment_cache

    database = app.extensions["sqlalchemy"]
    with app.app_context():
        # What an earlier test made of other settings is no page of this one.
        caching.clear(app)
        fragment_cache.clear()
        yield database
        _empty(database)


@pytest.fixture
def client(app: Flask, db: SQLAlchemy) -> FlaskClient:
    """A browser without a history."""
    return app.test_client()


@pytest.fixture
def csrf_app(app: Flask) -> Iterator[Flask]:
    """The application with its CSRF protection on."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def limits(app: Flask) -> Iterator[None]:
    """Limits on attempts, counted from zero."""
    from app import limiter

    limiter.reset()
    limiter.enabled = True
    yield
    limiter.enabled = False


@pytest.fixture(scope="session")
def _mail_sink_server() -> Iterator[MailSink]:
    with start_mail_sink() as sink:
        yield sink


@pytest.fixture
def mail_sink(_mail_sink_server: MailSink) -> MailSink:
    """A real SMTP server that keeps what it was sent; empty at the start of each test."""
    _mail_sink_server.clear()
    return _mail_sink_server


def _empty(database: SQLAlchemy) -> None:
    database.session.rollback()
    for table in reversed(database.metadata.sorted_tables):
        if table.name not in KEPT_TABLES:
            database.session.execute(table.delete())
    database.session.commit()
    database.session.remove()
