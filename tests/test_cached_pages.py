"""Every page that is cached, in two languages and two themes: nobody is shown another one's."""

import pytest
from flask import Flask, request, url_for
from flask.testing import FlaskClient

from app import templating
from tests.factories import let_in, make_user

LOOKS = [("en", ""), ("de", ""), ("en", ""), ("de", "dark"), ("en", "dark"), ("de", "dark"), ("de", ""), ("en", "")]


@pytest.fixture
def translated(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application as one that translates: a stand-in for gettext marks each page with its language."""

    def locale() -> str:
        return request.accept_languages.best_match(["en", "de"]) or "en"

    monkeypatch.setattr(templating, "locale", locale)
    monkeypatch.setitem(app.jinja_env.globals, "locale", locale)
    return app


def cached_addresses(app: Flask) -> list[str]:
    with app.test_request_context():
        return [url_for(name) for name, view in app.view_functions.items() if hasattr(view, "cached_seconds")]


def page(client: FlaskClient, address: str, language: str, theme: str) -> str:
    if theme:
        client.set_cookie("theme", theme)
    else:
        client.delete_cookie("theme")
    response = client.get(address, headers={"Accept-Language": language})
    assert response.status_code == 200
    return response.text


def test_each_language_and_theme_has_its_own(translated: Flask, client: FlaskClient) -> None:
    addresses = cached_addresses(translated)
    assert "/" in addresses
    for address in addresses:
        pages = [page(client, address, *look) for look in LOOKS]
        assert len(set(pages)) == len(set(LOOKS))
        for look, html in zip(LOOKS, pages, strict=True):
            assert html == pages[LOOKS.index(look)]
            assert f'<html lang="{look[0]}"' in html
            assert ('data-theme="dark"' in html) is (look[1] == "dark")


def test_it_comes_from_the_cache_and_not_to_who_is_logged_in(translated: Flask, client: FlaskClient) -> None:
    first = client.get("/")
    assert first.headers["ETag"]
    assert client.get("/", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    let_in(client, make_user(first_name="Ada"))
    own = client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert "Ada" in own.text
    assert "ETag" not in own.headers
    assert "no-store" in own.headers["Cache-Control"]
    assert "Ada" not in translated.test_client().get("/").text


def test_pages_with_a_form_are_not_cached(app: Flask, csrf_app: Flask, client: FlaskClient) -> None:
    tokens = {client.get("/account/login").text for _ in range(2)}
    assert len(tokens) == 2
