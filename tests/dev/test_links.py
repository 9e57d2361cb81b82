"""The pages of development are linked from the footer where they exist, and nowhere else."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

LINKS = ["/dev/mailbox", "/dev/emails", "/dev/components"]


@pytest.mark.parametrize("path", ["/", "/about", "/account/login", "/nothing"])
def test_the_footer_leads_to_the_pages_of_development(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    footer = page[page.index("<footer") :]
    assert [link for link in LINKS if f'href="{link}"' in footer] == LINKS


def test_without_the_area_there_is_no_link(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(app.blueprints, "dev")
    page = client.get("/about").text
    assert "<footer" in page
    assert "/dev/" not in page


def test_without_a_mailbox_there_is_no_link_to_it(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAILBOX_DIR", None)
    page = client.get("/about").text
    assert "/dev/mailbox" not in page
    assert "/dev/components" in page
