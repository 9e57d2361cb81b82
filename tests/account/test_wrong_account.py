"""Tests for mailed links that are opened by somebody who is logged in with another account."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.models import User
from tests.factories import let_in, make_invited, make_user

LINKS: dict[str, Callable[[User], str]] = {
    "invitation": lambda user: f"/account/join-from-invite/{user.id}/{user.generate_invitation_token()}",
    "reset": lambda user: f"/account/reset-password/{user.generate_password_reset_token()}",
    "new address": lambda user: f"/account/manage/change-email/{user.generate_email_change_token('new@example.org')}",
}


@pytest.mark.parametrize("kind", LINKS)
def test_the_page_names_both_and_leads_on_after_logging_out(client: FlaskClient, kind: str) -> None:
    owner = make_invited() if kind == "invitation" else make_user()
    link, other = LINKS[kind](owner), make_user()
    let_in(client, other)
    page = client.get(link)
    assert page.status_code == 200
    assert owner.email in page.text
    assert other.email in page.text
    assert f'name="next" value="{link}"' in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    left = client.post("/account/logout", data={"next": link})
    assert left.location == link
    assert "for another account" not in client.get(link, follow_redirects=True).text


@pytest.mark.parametrize("kind", ["invitation", "reset"])
def test_a_form_sent_by_another_user_changes_nothing(client: FlaskClient, kind: str) -> None:
    owner = make_invited() if kind == "invitation" else make_user()
    before = owner.password_hash
    let_in(client, make_user())
    names = ("password", "password2", "new_password", "new_password2")
    client.post(LINKS[kind](owner), data=dict.fromkeys(names, "nanosecond wire in hand"))
    assert owner.password_hash == before


def test_the_owner_may_use_a_reset_link_while_logged_in(client: FlaskClient) -> None:
    owner = make_user()
    let_in(client, owner)
    form = client.get(LINKS["reset"](owner))
    assert form.location == "/account/reset-password/form"
    password = "nanosecond wire in hand"
    client.post(form.location, data={"new_password": password, "new_password2": password})
    assert owner.verify_password(password)
    assert "already logged in" not in client.get("/account/login").text


def test_not_me_leaves_another_user_logged_in(client: FlaskClient) -> None:
    owner, other = make_user(), make_user()
    token = owner.generate_not_me_token(owner.email)
    let_in(client, other)
    done = client.post(f"/account/not-me/{token}", follow_redirects=True)
    assert "Everyone is logged out" in done.text
    assert "already logged in" not in done.text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_logging_out_never_leads_to_another_site(client: FlaskClient, target: str) -> None:
    let_in(client, make_user())
    assert client.post("/account/logout", data={"next": target}).location == "/"
