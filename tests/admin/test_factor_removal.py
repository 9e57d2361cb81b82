"""Removing the second factors of a user: after a day, in which the user can stop it."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select, update

from app.admin.jobs import remove_second_factors
from app.kit.db.database import utc_now
from app.models import AuditEvent, FactorRemoval, Permission, Role, User, second_factors
from tests.account.mailed import mailed_kinds, mailed_link
from tests.account.second_factors import first_step, turn_on
from tests.factories import browser_of, let_in, make_role, make_user

REASON = {"reason": "lost the phone, known by voice"}


@pytest.fixture
def user(app: Flask, admin: User) -> User:
    """Return a user with second factors, who is logged in nowhere."""
    user = make_user()
    own = browser_of(app, user)
    turn_on(own, user)
    own.post("/account/logout")
    return user


def remove(client: FlaskClient, user: User) -> str:
    return client.post(f"/admin/user/{user.id}/remove-second-factors", data=REASON, follow_redirects=True).text


def let_a_day_pass(db: SQLAlchemy) -> None:
    db.session.execute(update(FactorRemoval).values(due_at=utc_now() - timedelta(seconds=1)))
    db.session.commit()
    remove_second_factors()


def test_it_takes_a_day_in_which_the_user_is_told(
    app: Flask, client: FlaskClient, admin: User, user: User, db: SQLAlchemy
) -> None:
    assert "gets an email, and can stop it" in remove(client, user)
    page = client.get(f"/admin/user/{user.id}").text
    assert REASON["reason"] in page
    assert "Remove second factors" not in page
    assert mailed_kinds()[-1] == "factor_removal"
    assert "has asked for this already" in remove(client, user)
    remove_second_factors()
    assert second_factors(user)

    let_a_day_pass(db)

    assert not second_factors(user)
    assert FactorRemoval.of(user) is None
    assert mailed_kinds()[-1] == "second_factor_changed"
    assert first_step(app.test_client(), user).location == "/"
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "second_factor.reset")).one()
    assert (event.actor_id, event.subject_id) == (admin.id, user.id)


def test_the_user_stops_it_by_a_mailed_link_that_works_once(
    app: Flask, client: FlaskClient, user: User, db: SQLAlchemy
) -> None:
    remove(client, user)
    link, visitor = mailed_link("factor_removal"), app.test_client()
    assert "they stay" in visitor.get(link).text
    assert FactorRemoval.of(user) is not None, "opening it changes nothing"
    assert "Your second factors stay" in visitor.post(link, follow_redirects=True).text
    remove(client, user)
    assert "This link is not valid" in visitor.post(link, follow_redirects=True).text, "the link was for the first one"
    let_a_day_pass(db)
    assert not second_factors(user)


def test_the_user_sees_it_and_an_administrator_stops_it(
    app: Flask, client: FlaskClient, user: User, db: SQLAlchemy
) -> None:
    own = browser_of(app, user)
    remove(client, user)
    assert "about to remove your second factors" in own.get("/account/manage/security").text
    page = client.post(f"/admin/user/{user.id}/keep-second-factors", follow_redirects=True).text
    assert "The second factors stay" in page
    let_a_day_pass(db)
    assert second_factors(user)


def test_it_is_refused_without_reason_or_factor_and_for_oneself(client: FlaskClient, admin: User, user: User) -> None:
    path = f"/admin/user/{user.id}/remove-second-factors"
    assert "Enter a reason" in client.post(path, data={"reason": " "}).text
    assert "has no second factor" in remove(client, make_user())
    assert "your security page" in remove(client, admin)
    assert FactorRemoval.of(user) is None


@pytest.mark.usefixtures("kept_roles")
def test_it_is_refused_for_accounts_with_more_permissions_also_a_day_later(
    app: Flask, user: User, db: SQLAlchemy
) -> None:
    may = Permission.GENERAL | Permission.VIEW_USERS | Permission.REMOVE_FACTORS
    support = make_user(make_role("Support", may).name)
    client = app.test_client()
    let_in(client, support)
    remove(client, user)
    assert FactorRemoval.of(user) is not None
    user.role = Role.with_name("Administrator")
    db.session.commit()
    let_a_day_pass(db)
    assert second_factors(user)
    assert "permissions that you do not have" in remove(client, user)
