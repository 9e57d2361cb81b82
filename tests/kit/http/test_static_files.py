"""Tests for the built files that a running server serves while releases follow one another."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kit.assets.manifest import AssetManifest
from app.kit.http import static_files

MINE, EARLIER, LATER = (f"app.{digit * 12}.css" for digit in "abc")


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Return a folder with a build."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / MINE).write_text("a{}")
    (folder / "manifest.json").write_text(f'{{"app_css": "{MINE}"}}')
    return folder


@pytest.fixture(params=[False, True], ids=["production", "development"])
def client(static: Path, request: pytest.FixtureRequest) -> FlaskClient:
    """Return a client of a site that has started with this build."""
    app = Flask("site", root_path=str(static.parent), static_folder=None)
    app.config.update(ASSETS_AUTO_BUILD=request.param, SECURITY_HEADERS={}, SSL_DISABLE=True)
    manifest = AssetManifest(static, "/static/")
    manifest.url("app_css")
    static_files.init_app(app, manifest.counterpart)
    return app.test_client()


def test_a_file_that_vanished_is_not_found(client: FlaskClient, static: Path) -> None:
    (static / MINE).unlink()
    assert client.get(f"/static/{MINE}").status_code == 404


def test_a_file_of_a_later_build_is_served(client: FlaskClient, static: Path) -> None:
    (static / LATER).write_text("c{}")
    with client.get(f"/static/{LATER}") as response:
        assert response.data == b"c{}"
    assert "immutable" in response.headers["Cache-Control"]


def test_for_a_file_of_another_release_its_own_one_has_to_do(client: FlaskClient) -> None:
    """Containers and Heroku's slugs hold one build each, and replace one another while pages load."""
    response = client.get(f"/static/{EARLIER}")
    assert (response.status_code, response.location) == (302, f"/static/{MINE}")
    assert response.headers["Cache-Control"] == "no-store"
    with client.get(f"/static/{EARLIER}", follow_redirects=True) as response:
        assert response.data == b"a{}"


@pytest.mark.parametrize(
    "name",
    ["other.aaaaaaaaaaaa.css", "app.css", "app.aaaaaaaaaaaa.js", f"x/../{EARLIER}", f"{'a' * 300}.{'a' * 12}.js"],
)
def test_nothing_else_is_guessed(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404
