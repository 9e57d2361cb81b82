"""One application, database, queue server and mail sink per test process; each test finds them empty."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import delete, update

from app.kit.db.migrations import upgrade
from app.kit.http import caching
from app.kit.storage.folder import FolderStore
from tests.separate_requests import SeparateRequests
from tests.servers import create_postgres_database, start_mail_sink, start_redis
from tests.servers.mail_sink import MailSink
from tests.servers.redis import free_port
from tests.servers.web import WebServer, production_environment, start_gunicorn

KEPT_TABLES = {"roles", "alembic_version"}


@pytest.hookimpl(tryfirst=True)  # before pytest reads -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the database, except those in a browser: their views have tests without one.

    Long tests come first. With ``--dist loadgroup`` a free process takes one of them, or a file of the others.
    """
    # Side by side, tests of a browser or of a gunicorn run in one process, and no other one has to start its own.
    own = ("browser", "production_server")
    items.sort(key=lambda item: [-_seconds(item), *(name not in _fixtures_of(item) for name in own)])
    for item in items:
        fixtures = _fixtures_of(item)
        if "database_url" in fixtures and "browser" not in fixtures:
            item.add_marker("database")
        if not _seconds(item):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def _seconds(item: pytest.Item) -> int:
    marker = item.get_closest_marker("long")
    return marker.args[0] if marker else 0


def _fixtures_of(item: pytest.Item) -> list[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else []


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for this test process."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="session")
def database_url(workspace: Path) -> Iterator[str]:
    """Yield the URL of an empty database: SQLite, or a new one on the server at TEST_DATABASE_URL."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if server.startswith("postgres"):
        with create_postgres_database(server) as url:
            yield url
    else:
        yield f"sqlite:///{workspace / 'test.sqlite'}"


@pytest.fixture(scope="session")
def redis_url(workspace: Path) -> Iterator[str]:
    """Yield the URL of a real queue server."""
    with start_redis(workspace / "redis") as url:
        yield url


@pytest.fixture(scope="session")
def app(database_url: str, redis_url: str, workspace: Path) -> Iterator[Flask]:
    """Yield the application in its testing configuration, with tables from the migrations and built assets."""
    from app import create_app, limiter
    from app.assets import build_stale_assets
    from app.models import Role

    os.environ.update(TEST_DATABASE_URL=database_url, REDIS_URL=redis_url)
    application = create_app("testing")
    limiter.enabled = False
    application.test_client_class = SeparateRequests
    application.config["MAILBOX_DIR"] = workspace / "mailbox"
    application.config["MAINTENANCE_FILE"] = workspace / "maintenance"
    application.config["MAILBOX_DIR"].mkdir()
    application.extensions["storage"] = FolderStore(workspace / "uploads")
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
    """Yield the database inside an application context, and empty it afterwards."""
    from app.extensions import fragment_cache

    database = app.extensions["sqlalchemy"]
    with app.app_context():
        # Earlier tests may have cached pages with other settings.
        caching.clear(app)
        fragment_cache.clear()
        yield database
        empty(database)


@pytest.fixture
def kept_roles(db: SQLAlchemy) -> Iterator[None]:
    """Leave the roles as they were, which other tests find there."""
    from app.models import Role
    from app.models.role import ROLES

    yield
    empty(db)
    db.session.execute(delete(Role).where(Role.name.not_in([name for name, *_ in ROLES])))
    db.session.execute(update(Role).values(default=Role.name == "User"))
    db.session.commit()


@pytest.fixture
def client(app: Flask, db: SQLAlchemy) -> FlaskClient:
    """Return a client without cookies."""
    return app.test_client()


@pytest.fixture
def csrf_app(app: Flask) -> Iterator[Flask]:
    """Yield the application with CSRF protection."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def error_pages(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Return error pages instead of raising what a view raises."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)


@pytest.fixture
def limits(app: Flask) -> Iterator[None]:
    """Turn on rate limits, counted from zero."""
    from app import limiter

    limiter.reset()
    limiter.enabled = True
    yield
    limiter.enabled = False


@pytest.fixture(scope="session")
def production_server(app: Flask, database_url: str, redis_url: str) -> Iterator[WebServer]:
    """Yield a gunicorn of one worker with production's settings, on the tests' database; ``app`` builds its assets."""
    port = free_port()
    variables = {**production_environment(database_url, redis_url, port), "WEB_CONCURRENCY": "1"}
    with start_gunicorn("app:create_app()", variables, port=port, path="/up") as server:
        yield server


@pytest.fixture(scope="session")
def _mail_sink_server() -> Iterator[MailSink]:
    with start_mail_sink() as sink:
        yield sink


@pytest.fixture
def mail_sink(_mail_sink_server: MailSink) -> MailSink:
    """Return a real SMTP server that keeps the messages it receives; empty at the start of each test."""
    _mail_sink_server.clear()
    return _mail_sink_server


def empty(database: SQLAlchemy) -> None:
    """Delete what tests wrote."""
    database.session.rollback()
    connection = database.session.connection()
    # Most tests write to few of the tables, and one question about all of them takes a tenth of the time of deleting.
    written = set(connection.exec_driver_sql(_which_have_rows(database)).scalars())
    for table in reversed(database.metadata.sorted_tables):
        if table.name in written:
            connection.execute(table.delete())
    database.session.commit()
    database.session.remove()


def _which_have_rows(database: SQLAlchemy) -> str:
    names = [name for name in database.metadata.tables if name not in KEPT_TABLES]
    return " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)  # noqa: S608
