"""A real Chromium, the site served to it, and its users."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from tests.browser.people import People
from tests.browser.visitor import CHROMIUM_ARGUMENTS, Visitor
from tests.servers.web import WebServer


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield the system's Chromium, headless; one per test process."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def _address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(_address: str, csrf_app: Flask, db: SQLAlchemy) -> str:
    """Return the URL of the site, with its development pages and CSRF protection."""
    return _address


@pytest.fixture
def people(app: Flask, db: SQLAlchemy, kept_roles: None, monkeypatch: pytest.MonkeyPatch) -> People:
    """Return a user, an administrator, and rows for every list. Pages that a setting closes are open."""
    monkeypatch.setitem(app.config, "MAGIC_LINK", True)
    return People.make(app)


@pytest.fixture(scope="session")
def first_window(browser: Browser, _address: str) -> Iterator[Visitor]:
    """Yield a window that stays open at the site, and so keeps the browser's processes for it running."""
    with Visitor.at(browser, _address) as first:
        first.open("/up")
        yield first


@pytest.fixture
def visitor(first_window: Visitor, site: str) -> Iterator[Visitor]:
    """Yield a new browser window at the site; the test fails on unexpected console messages and requests."""
    with Visitor.beside(first_window, site) as visitor:
        yield visitor
        assert visitor.complaints == []


@pytest.fixture
def production_site(production_server: WebServer, db: SQLAlchemy) -> str:
    """Return the URL of a gunicorn with built assets and production's settings, on the tests' database."""
    return production_server.address


@pytest.fixture(scope="session")
def static_folder(app: Flask) -> Path:
    """Return the folder of the built assets."""
    return Path(app.root_path) / "static"
