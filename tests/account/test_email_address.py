"""Tests for changing the email address: the new one is confirmed, the old one is notified and can undo the change."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import User
from tests.account.mailed import mailed_kinds, mailed_link
from tests.factories import PASSWORD, let_in, make_user, sign_in

REQUEST = {"email": "new@example.org", "password": PASSWORD}


@pytest.fixture
def user(client: FlaskClient) -> User:
    user = make_user(email="old@example.org")
    let_in(client, user)
    return user


def test_a_new_address_counts_once_it_is_proven(client: FlaskClient, user: User) -> None:
    client.post("/account/manage/change-email", data=REQUEST)
    assert mailed_kinds() == ["change_email", "email_change_requested"]
    link = mailed_link("change_email", recipient="new@example.org")
    client.get(link)
    assert user.email == "old@example.org", "opening the link must change nothing"
    client.post(link)
    assert user.email == "new@example.org"
    assert user.confirmed
    assert mailed_kinds()[2:] == ["email_changed", "email_changed"]
    assert b"not valid" in client.post(link, follow_redirects=True).data


def test_the_password_is_asked_for(client: FlaskClient, user: User) -> None:
    page = client.post("/account/manage/change-email", data={**REQUEST, "password": "wrong"})
    assert b"Wrong password" in page.data
    assert b'value="new@example.org"' in page.data
    assert mailed_kinds() == []


def test_ones_own_address_is_no_new_one(client: FlaskClient, user: User) -> None:
    page = client.post("/account/manage/change-email", data={**REQUEST, "email": "OLD@example.org"})
    assert b"your address already" in page.data


def test_somebody_elses_link_changes_nothing(app: Flask, client: FlaskClient, user: User) -> None:
    client.post("/account/manage/change-email", data=REQUEST)
    link = mailed_link("change_email")
    other = app.test_client()
    sign_in(other, make_user())
    assert b"for another account" in other.post(link, follow_redirects=True).data
    assert user.email == "old@example.org"


def test_an_address_that_was_taken_meanwhile_is_refused(client: FlaskClient, user: User) -> None:
    client.post("/account/manage/change-email", data=REQUEST)
    link = mailed_link("change_email")
    make_user(email="NEW@example.org")
    assert b"not valid" in client.post(link, follow_redirects=True).data
    assert user.email == "old@example.org"


def test_the_owner_of_the_old_address_takes_the_account_back(app: Flask, client: FlaskClient, user: User) -> None:
    client.post("/account/manage/change-email", data=REQUEST)
    client.post(mailed_link("change_email"))
    link = mailed_link("email_changed", recipient="old@example.org")
    owner = app.test_client()
    owner.get(link)
    assert user.email == "new@example.org"
    owner.post(link)
    assert user.email == "old@example.org"
    assert not user.verify_password(PASSWORD)
    assert mailed_link("reset_password", recipient="old@example.org")
    assert client.get("/account/manage").status_code == 302, "the thief is out"


def test_the_new_address_cannot_take_it_back_again(app: Flask, client: FlaskClient, user: User) -> None:
    client.post("/account/manage/change-email", data=REQUEST)
    client.post(mailed_link("change_email"))
    thiefs = mailed_link("email_changed", recipient="new@example.org")
    app.test_client().post(mailed_link("email_changed", recipient="old@example.org"))
    assert b"not valid" in app.test_client().post(thiefs, follow_redirects=True).data
    assert user.email == "old@example.org"
