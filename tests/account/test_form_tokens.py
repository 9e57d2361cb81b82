"""Tests for CSRF tokens as a browser sees them: required, different on each page, and replaced at login."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kit.auth.csrf import unmask
from tests.factories import PASSWORD, make_user


def token_on(client: FlaskClient, path: str = "/account/login") -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found.group(1)


def login(client: FlaskClient, token: str) -> int:
    form = {"email": make_user().email, "password": PASSWORD, "csrf_token": token}
    return client.post("/account/login", data=form).status_code


@pytest.mark.usefixtures("csrf_app")
def test_the_token_differs_in_every_response(client: FlaskClient) -> None:
    tokens = [token_on(client) for _ in range(5)]
    assert len(set(tokens)) == 5
    # Signed with its second, which may pass meanwhile.
    assert len({unmask(token).partition(".")[0] for token in tokens}) == 1
    assert login(client, tokens[0]) == 302


def test_a_form_is_taken_with_this_sessions_token_only(csrf_app: Flask, client: FlaskClient) -> None:
    token = token_on(client)
    assert login(client, "") == 400
    assert login(csrf_app.test_client(), token) == 400
    assert login(client, token) == 302


@pytest.mark.usefixtures("csrf_app")
def test_a_token_of_before_the_login_is_dead_after_it(client: FlaskClient) -> None:
    token = token_on(client)
    login(client, token)
    assert client.post("/account/logout", data={"csrf_token": token}).status_code == 400


@pytest.mark.usefixtures("csrf_app")
def test_a_refusal_explains_and_offers_the_way_back(client: FlaskClient) -> None:
    page = client.post("/account/login", data={}, headers={"Referer": "http://localhost/account/register"})
    assert page.status_code == 400
    assert "send the form again" in page.text
    assert 'href="/account/register"' in page.text
