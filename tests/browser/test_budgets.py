"""Tests for the size of pages over the network, as production serves them; docs/performance.md has the table."""

import gzip
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser

from app.models import User, UserSession
from tests.browser.people import People
from tests.browser.visitor import Visitor
from tests.browser.wire import Wire
from tests.queries import recorded_queries
from tests.servers.web import session_cookie

pytestmark = pytest.mark.thorough

KB = 1000
FINGERPRINT = re.compile(r"\.[0-9a-f]{12}\.\w+$")
TEXT_SUFFIXES = (".css", ".js", ".svg")


@pytest.fixture
def newcomer(browser: Browser, production_site: str) -> Iterator[Visitor]:
    """Yield a browser with an empty cache at the production site."""
    with Visitor.at(browser, production_site) as visitor:
        yield visitor
        assert visitor.complaints == []


@pytest.fixture
def visitor(first_window: Visitor, production_site: str) -> Iterator[Visitor]:
    """Yield a browser window at the production site."""
    with Visitor.beside(first_window, production_site) as visitor:
        yield visitor
        assert visitor.complaints == []


def test_first_and_later_visits_of_the_landing_page(newcomer: Visitor) -> None:
    first = Wire.of_visit(newcomer, "/")
    assert first.requests <= 5, first
    assert first.bytes <= 25 * KB, first
    later = Wire.of_visit(newcomer, "/")
    assert later.requests == 1, later
    assert later.bytes <= 4 * KB, later


def test_the_login_page(newcomer: Visitor) -> None:
    first = Wire.of_visit(newcomer, "/account/login")
    assert first.bytes <= 25 * KB, first


def test_a_list_of_the_administrator(newcomer: Visitor, people: People) -> None:
    newcomer.become(production_login(people.administrator))
    first = Wire.of_visit(newcomer, "/admin/users")
    assert newcomer.page.locator("tbody tr").count() == 25
    assert first.bytes <= 40 * KB, first


def test_nothing_shifts_while_a_page_loads(visitor: Visitor, people: People) -> None:
    for path in ("/", "/about", "/account/login", "/account/register"):
        visitor.open(path)
        shift = visitor.page.evaluate(
            """() => new Promise(resolve => {
                let sum = 0;
                new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value; }))
                    .observe({type: "layout-shift", buffered: true});
                requestAnimationFrame(() => setTimeout(() => resolve(sum), 50));
            })"""
        )
        assert shift == 0, path


def test_styles_and_scripts_are_small(static_folder: Path) -> None:
    weights = {path.suffix: 0 for path in static_folder.glob("*")}
    for path in built_files(static_folder):
        weights[path.suffix] += len(gzip.compress(path.read_bytes()))
    assert weights[".css"] <= 12 * KB
    assert weights[".js"] <= 15 * KB


def test_scripts_wait_for_the_page(visitor: Visitor) -> None:
    visitor.open("/account/register")
    scripts = visitor.page.evaluate("[...document.scripts].map(script => [script.type, script.defer, script.src])")
    assert scripts
    for kind, deferred, source in scripts:
        assert source, "an inline script"
        assert kind == "module" or deferred, source


def test_every_asset_is_fingerprinted_immutable_and_compressed(production_site: str, static_folder: Path) -> None:
    for path in built_files(static_folder):
        assert FINGERPRINT.search(path.name), path.name
        for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
            if path.suffix in TEXT_SUFFIXES and path.with_name(path.name + suffix).exists():
                headers = headers_of(f"{production_site}/static/{path.name}", encoding)
                assert headers["Content-Encoding"] == encoding
                assert int(headers["Content-Length"]) < path.stat().st_size
        headers = headers_of(f"{production_site}/static/{path.name}", "")
        assert "immutable" in headers["Cache-Control"], path.name
        assert "Content-Encoding" not in headers
        if path.suffix in {".css", ".js"}:
            assert path.with_name(path.name + ".br").exists(), path.name


def test_a_page_is_compressed_and_anonymous(production_site: str) -> None:
    headers = headers_of(f"{production_site}/", "gzip, br")
    assert headers["Content-Encoding"] in {"gzip", "br"}
    assert "Set-Cookie" not in headers


def test_production_leads_to_no_page_of_development(visitor: Visitor) -> None:
    for path in ("/", "/about", "/account/login"):
        visitor.open(path)
        assert visitor.page.locator("footer a").all_inner_texts() == ["About"], path


@pytest.mark.parametrize("path", ["/", "/account/login", "/account/register"])
def test_a_page_of_nobody_asks_the_database_nothing(client: FlaskClient, db: SQLAlchemy, path: str) -> None:
    client.get("/account/register")  # which caches the documents to agree to
    with recorded_queries(db.engine) as queries:
        assert client.get(path).status_code == 200
    assert queries == []


def built_files(folder: Path) -> list[Path]:
    """Return the files in the manifest of the last build."""
    manifest = json.loads((folder / "manifest.json").read_text())
    return [folder / name for name in manifest.values()]


def headers_of(url: str, encodings: str) -> dict[str, str]:
    """Return the headers of the response to a GET that accepts these encodings."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": encodings})  # noqa: S310
    with urllib.request.urlopen(request) as response:  # noqa: S310
        return dict(response.headers)


def production_login(user: User) -> str:
    """Return the session cookie of a login at the production site."""
    from app.extensions import db

    _row, token = UserSession.start(user, remembered=True, ip_address="127.0.0.1", user_agent="Chromium")
    db.session.commit()
    return session_cookie(token)
