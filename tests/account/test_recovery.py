"""Tests for account recovery: each address of the last 30 days can undo what a thief changes."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.email import catalog
from app.extensions import db
from app.jobs import purge_former_addresses
from app.kit.db.database import utc_now
from app.models import DataExport, Email, FormerAddress, User, UserSession, delete_user
from tests.account.mailed import mailed_kinds, mailed_link
from tests.factories import PASSWORD, let_in, make_admin, make_user, sign_in

NEW_PASSWORD = "nanosecond wire in hand"
A, B, C = "a@example.org", "b@example.org", "c@example.org"


@pytest.fixture
def user(client: FlaskClient) -> User:
    """Return the user with the address a@example.org, as whom ``client`` is logged in."""
    user = make_user(email=A)
    let_in(client, user)
    return user


def move(client: FlaskClient, address: str, password: str = PASSWORD) -> None:
    client.post("/account/manage/change-email", data={"email": address, "password": password})
    client.post(mailed_link("change_email", recipient=address))
    assert address in client.get("/account/manage").text


def notice(recipient: str) -> str:
    """Return the path of the link in the newest notice of a changed address to ``recipient``."""
    return mailed_link("email_changed", recipient=recipient)


def use(app: Flask, link: str) -> bool:
    """Press the button behind a link as an anonymous visitor; return whether the account was recovered."""
    return "Everyone is logged out" in app.test_client().post(link, follow_redirects=True).text


def age(address: str, days: int) -> None:
    changed = update(FormerAddress).where(FormerAddress.email == address)
    db.session.execute(changed.values(until=utc_now() - timedelta(days=days)))
    db.session.commit()


def rendered(recipient: str) -> str | None:
    query = select(Email).where(Email.kind == "email_changed", Email.recipient == recipient).order_by(Email.id.desc())
    row = db.session.scalars(query).first()
    assert row is not None
    mail = catalog.emails[row.kind].compose(row)
    return mail and mail.text


@pytest.mark.parametrize("mailed_after", ["the first change", "the second change"])
def test_two_changes_of_address_do_not_defeat_the_first_owner(
    app: Flask, client: FlaskClient, user: User, mailed_after: str
) -> None:
    move(client, B)
    link = notice(A)
    move(client, C)
    form = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    client.post("/account/manage/change-password", data=form)
    assert user.verify_password(NEW_PASSWORD)
    assert use(app, link if mailed_after == "the first change" else notice(A))
    assert user.email == A
    assert not user.verify_password(NEW_PASSWORD)
    assert db.session.scalar(select(UserSession.id)) is None
    assert mailed_link("reset_password", recipient=A)


def test_a_change_is_told_to_every_address_of_the_last_30_days(client: FlaskClient, user: User) -> None:
    move(client, B)
    move(client, C)
    told = list(db.session.scalars(select(Email.recipient).where(Email.kind == "email_changed").order_by(Email.id)))
    assert told == [B, A, C, A, B]
    assert len({notice(address) for address in (A, B, C)}) == 3


def test_an_administrators_change_is_told_to_them_too(app: Flask, client: FlaskClient, user: User) -> None:
    move(client, B)
    admin = app.test_client()
    sign_in(admin, make_admin())
    admin.post(f"/admin/user/{user.id}/change-email", data={"email": C})
    assert mailed_kinds()[-3:] == ["email_changed"] * 3
    assert use(app, notice(A))
    assert user.email == A


def test_the_older_address_wins(app: Flask, client: FlaskClient, user: User) -> None:
    move(client, B)
    move(client, C)
    old, young = notice(A), notice(B)
    assert use(app, young)
    assert user.email == B
    young = notice(B)
    assert use(app, old), "the younger one's way back must not cost the older one its right"
    assert user.email == A
    assert not use(app, young), "but the older one's way back ends the younger one's right"
    assert FormerAddress.of(user.id) == []


def test_who_is_outranked_is_told_without_a_link(app: Flask, client: FlaskClient, user: User) -> None:
    move(client, B)
    use(app, notice(A))
    text = rendered(B)
    assert "restored to one of its former addresses" in text
    assert "/not-me/" not in text


def test_an_address_to_which_one_returns_keeps_its_age(app: Flask, client: FlaskClient, user: User) -> None:
    move(client, B)
    thiefs = notice(B)
    move(client, A)
    assert use(app, thiefs), "each address of the last 30 days can"
    assert user.email == B
    thiefs = notice(B)
    assert use(app, notice(A)), "and the older one has the last word"
    assert user.email == A
    assert not use(app, thiefs)


def test_a_used_link_stays_dead_when_the_owner_moves_there_again(app: Flask, client: FlaskClient, user: User) -> None:
    move(client, B)
    link = notice(A)
    assert use(app, link)
    assert not use(app, link)
    user.password = NEW_PASSWORD
    db.session.commit()
    owner = app.test_client()
    sign_in(owner, user, NEW_PASSWORD)
    move(owner, B, NEW_PASSWORD)
    assert not use(app, link)
    move(owner, A, NEW_PASSWORD)
    move(owner, C, NEW_PASSWORD)
    assert not use(app, link)
    assert user.email == C
    assert user.verify_password(NEW_PASSWORD)


def test_a_notice_to_the_present_address_works_after_it_became_a_former_one(
    app: Flask, client: FlaskClient, user: User
) -> None:
    client.post("/account/manage/change-email", data={"email": B, "password": PASSWORD})
    link = mailed_link("email_change_requested", recipient=A)
    client.post(mailed_link("change_email", recipient=B))
    move(client, C)
    assert use(app, link)
    assert user.email == A


@pytest.mark.parametrize(("days", "works"), [(29, True), (31, False)])
def test_the_right_ends_after_30_days(app: Flask, client: FlaskClient, user: User, days: int, works: bool) -> None:
    move(client, B)
    link = notice(A)
    age(A, days)
    purge_former_addresses()
    assert use(app, link) is works
    assert (user.email == A) is works


def test_an_address_that_is_over_is_not_told(client: FlaskClient, user: User) -> None:
    move(client, B)
    age(A, 31)
    move(client, C)
    told = list(db.session.scalars(select(Email.recipient).where(Email.kind == "email_changed").order_by(Email.id)))
    assert told[2:] == [C, B]


def test_taking_back_kills_what_waits_to_be_sent(app: Flask, client: FlaskClient, user: User) -> None:
    move(client, B)
    client.post("/account/manage/change-email", data={"email": C, "password": PASSWORD})
    pending = mailed_link("change_email", recipient=C)
    assert use(app, notice(A))
    states = {mail.recipient: mail.state for mail in Email.query.filter_by(kind="change_email")}
    assert states == {B: "canceled", C: "canceled"}
    user.password = PASSWORD
    db.session.commit()
    owner = app.test_client()
    sign_in(owner, user)
    owner.post(pending)
    assert user.email == A


def test_a_thief_cannot_block_the_way_back_with_a_sign_up(app: Flask, client: FlaskClient, user: User) -> None:
    move(client, B)
    make_user(email=A.upper(), confirmed=False)
    assert use(app, notice(A))
    assert User.with_email(A) is user


def test_an_account_that_has_the_address_by_right_keeps_it_and_the_page_says_what_to_do(
    app: Flask, client: FlaskClient, user: User
) -> None:
    move(client, B)
    other = make_user(email=A)
    link = notice(A)
    page = app.test_client().post(link, follow_redirects=True).text
    assert "Another account has this address by now" in page
    assert (user.email, other.email) == (B, A)
    other.email = "elsewhere@example.org"
    db.session.commit()
    assert use(app, link)
    assert user.email == A


def test_an_address_that_was_never_confirmed_takes_nothing_back(client: FlaskClient) -> None:
    user = make_user(email=A, confirmed=False)
    sign_in(client, make_admin())
    client.post(f"/admin/user/{user.id}/change-email", data={"email": B})
    assert FormerAddress.of(user.id) == []
    assert list(db.session.scalars(select(Email.recipient))) == [B]


def test_a_change_of_case_is_no_move(client: FlaskClient, user: User) -> None:
    user.email = A.upper()
    db.session.commit()
    assert FormerAddress.of(user.id) == []


def test_former_addresses_are_part_of_the_copy_and_go_with_the_user(client: FlaskClient, user: User) -> None:
    move(client, B)
    export = DataExport(user=user)
    db.session.add(export)
    export.write()
    assert A in export.content
    delete_user(user)
    db.session.commit()
    assert db.session.scalar(select(FormerAddress.id)) is None


def test_an_address_that_nobody_confirmed_can_take_nothing_back(app: Flask, client: FlaskClient) -> None:
    user, admin = make_user(email=A, confirmed=False), app.test_client()
    sign_in(admin, make_admin())
    links = []
    for address in (B, C, B):
        admin.post(f"/admin/user/{user.id}/change-email", data={"email": address})
        links.append(notice(address))
    assert [use(app, link) for link in links] == [False, False, True]
