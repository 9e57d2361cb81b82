"""`manage.py runserver` reloads what a browser shows after each save."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.servers.development_site import bare_environment, copy_project
from tests.servers.redis import free_port

pytestmark = pytest.mark.thorough

RESTART_MS = 60_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project whose files the test saves."""
    return copy_project(tmp_path_factory.mktemp("live-reload") / "project")


@pytest.fixture
def address(project: Path, app: Flask, database_url: str) -> Iterator[str]:
    """Yield the URL of the development server, by name."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--port", str(port)],
        cwd=project,
        env={**bare_environment(project), "DEV_DATABASE_URL": database_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"http://localhost:{port}"
    server.terminate()
    assert server.wait(timeout=60) == 0


def test_every_save_is_shown_without_a_key_pressed(browser: Browser, project: Path, address: str) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content" in message.text else None)
    open_when_up(page, f"{address}/about")

    template = project / "app" / "templates" / "main" / "about.html"
    template.write_text(
        template.read_text().replace("{% block content %}", "{% block content %}<p id=new>From a template</p>")
    )
    expect(page.locator("#new")).to_have_text("From a template", timeout=RESTART_MS)

    styles = project / "app" / "assets" / "styles" / "app.scss"
    styles.write_text(styles.read_text() + "\n#new { letter-spacing: 7px; }\n")
    expect(page.locator("#new")).to_have_css("letter-spacing", "7px", timeout=RESTART_MS)

    views = project / "app" / "main" / "views" / "pages.py"
    good = views.read_text()
    views.write_text(good + "\nthis is no Python\n")
    expect(page.get_by_text("SyntaxError").first).to_be_visible(timeout=RESTART_MS)
    views.write_text(good)
    expect(page.locator("#new")).to_have_text("From a template", timeout=RESTART_MS)
    assert complaints == []
    page.close()


def open_when_up(page: Page, address: str) -> None:
    """Visit the address; the server's socket is open before its application is loaded."""
    for _ in range(60):
        try:
            page.goto(address, timeout=RESTART_MS)
        except Exception:
            page.wait_for_timeout(500)
        else:
            return
