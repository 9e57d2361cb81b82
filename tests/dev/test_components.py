"""The components page shows the built colors; its forms can be sent and change nothing."""

import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.assets import READ_ON


def test_every_pair_of_colors_that_the_build_checks_is_shown(client: FlaskClient) -> None:
    page = client.get("/dev/components").text
    assert [pair for pair in READ_ON if f"<strong>{pair[0]}</strong><br>on {pair[1]}<br>" not in page] == []


def test_what_is_sent_is_thrown_away(client: FlaskClient) -> None:
    answer = client.post("/dev/components", data={"empty-name": "Ada"}, follow_redirects=True)
    assert answer.status_code == 200
    assert "The form was received and discarded." in answer.text
    assert 'value="Ada"' not in answer.text


SAMPLES = sorted((Path(__file__).parents[2] / "app" / "templates" / "dev" / "components").glob("*.html"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_each_part_has_its_markup_to_copy(client: FlaskClient, path: Path) -> None:
    page = client.get("/dev/components").text
    assert code(page, f"{path.stem}-template") == path.read_text().strip()
    html = code(page, f"{path.stem}-html")
    assert html.startswith("<")
    assert "{" not in html
    assert f'data-copy="{path.stem}-html"' in page


def test_the_markup_is_that_of_the_part(client: FlaskClient) -> None:
    html = code(client.get("/dev/components").text, "empty_state-html")
    assert html.splitlines()[0] == '<div class="empty-state">'
    assert "  <h2>Nothing here yet</h2>" in html.splitlines()


def test_the_markup_holds_no_token(csrf_app: Flask) -> None:
    page = csrf_app.test_client().get("/dev/components").text
    html = code(page, "table-html") + code(page, "form-html")
    assert set(re.findall(r'csrf_token" value="([^"]*)"', html)) == {"…"}
    assert set(re.findall(r'data-token="([^"]*)"', html)) == {"…"}


def code(page: str, element: str) -> str:
    """Return the text of a block of code."""
    found = re.search(rf'<pre id="{element}"[^>]*><code>(.*?)</code>', page, re.DOTALL)
    assert found, element
    return unescape(found[1])
