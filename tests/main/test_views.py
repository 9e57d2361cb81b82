"""Tests for the public pages, robots.txt and the sitemap."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event

from app.models import EditableHTML

PUBLIC = ["/", "/about", "/account/login", "/account/register"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_can_be_found_and_shared(client: FlaskClient, app: Flask, path: str) -> None:
    text = client.get(path).text
    address = app.config["BASE_URL"] + path
    assert f'<link rel="canonical" href="{address}">' in text
    assert f'<meta property="og:url" content="{address}">' in text
    assert re.search(r'<meta name="description" content=".{20,}">', text)
    assert "noindex" not in text
    assert text.count("<h1") == 1


@pytest.mark.parametrize("path", ["/dev/components", "/dev/mailbox", "/nothing-here"])
def test_other_pages_stay_out_of_search_engines(client: FlaskClient, path: str) -> None:
    text = client.get(path).text
    assert '<meta name="robots" content="noindex">' in text
    assert "canonical" not in text


def test_the_terminal_prints_the_address_of_this_site(client: FlaskClient) -> None:
    text = client.get("/", base_url="http://localhost:5050").text
    assert "Site       http://localhost:5050\n" in text
    assert "Mailbox    http://localhost:5050/dev/mailbox\n" in text


def test_the_landing_page_costs_neither_database_nor_cookie(client: FlaskClient, db: SQLAlchemy) -> None:
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    response = client.get("/")
    assert statements == []
    assert "Set-Cookie" not in response.headers


def test_titles_name_page_and_site(client: FlaskClient, app: Flask) -> None:
    assert f"<title>{app.config['APP_NAME']}</title>" in client.get("/").text
    assert f"<title>About · {app.config['APP_NAME']}</title>" in client.get("/about").text


def test_about_shows_what_was_written_and_no_editor_to_strangers(client: FlaskClient, db: SQLAlchemy) -> None:
    assert "Nothing written yet" in client.get("/about").text
    db.session.add(EditableHTML(editor_name="about", value="We *care*.<script>alert(1)</script>"))
    db.session.commit()
    text = client.get("/about").text
    assert "We <em>care</em>." in text
    assert "alert(1)" not in text
    assert "<textarea" not in text


def test_robots_keep_out_of_private_areas_and_find_the_sitemap(client: FlaskClient, app: Flask) -> None:
    response = client.get("/robots.txt")
    assert response.mimetype == "text/plain"
    assert "Disallow: /admin/" in response.text
    assert f"Sitemap: {app.config['BASE_URL']}/sitemap.xml" in response.text


def test_the_sitemap_lists_pages_that_answer(client: FlaskClient, app: Flask) -> None:
    root = ElementTree.fromstring(client.get("/sitemap.xml").text)  # noqa: S314  our own
    addresses = [element.text or "" for element in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert len(addresses) >= 4
    for address in addresses:
        assert client.get(address.removeprefix(app.config["BASE_URL"])).status_code == 200


def test_the_manifest_names_icons_that_exist(client: FlaskClient, app: Flask) -> None:
    response = client.get("/site.webmanifest")
    assert response.mimetype == "application/manifest+json"
    manifest = response.get_json(force=True)
    assert manifest["name"] == app.config["APP_NAME"]
    for icon in manifest["icons"]:
        with client.get(icon["src"]) as response:
            assert response.data.startswith(b"\x89PNG")


def test_the_old_icon_address_leads_to_the_icon(client: FlaskClient) -> None:
    with client.get("/favicon.ico", follow_redirects=True) as response:
        assert response.mimetype == "image/svg+xml"
