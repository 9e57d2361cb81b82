"""Tests for the previews of every email in the catalog, in both parts."""

import pytest
from flask.testing import FlaskClient

from app.email import catalog


@pytest.mark.parametrize("name", sorted(catalog.emails))
def test_every_email_has_a_preview_of_both_parts(client: FlaskClient, name: str) -> None:
    page = client.get(f"/dev/emails/{name}").text
    assert catalog.emails[name].subject in page
    assert f'src="/dev/emails/{name}/html"' in page
    framed = client.get(f"/dev/emails/{name}/html")
    assert "</html>" in framed.text
    assert "Ada" in framed.text
    assert framed.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_list_names_every_email(client: FlaskClient) -> None:
    page = client.get("/dev/emails").text
    assert all(f'href="/dev/emails/{name}"' in page for name in catalog.emails)


@pytest.mark.parametrize("path", ["/dev/emails/none", "/dev/emails/none/html"])
def test_an_unknown_email_has_no_page(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
