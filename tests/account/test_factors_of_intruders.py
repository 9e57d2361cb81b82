"""An owner who takes an account back is not asked for a code of the intruder's app."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import update

from app.kit.db.database import utc_now
from app.models import AuthenticatorApp, LinkedIdentity, Passkey, RecoveryCode, User, second_factors
from tests.account.mailed import mailed_kinds, mailed_link
from tests.account.second_factors import SECOND_STEP, save_codes, turn_on
from tests.factories import browser_of, make_user, sign_in

NEW = "nanosecond wire in hand"


def take_back(client: FlaskClient, **fields: str) -> None:
    """Press "This was not me" in the notice about the second factor, and choose a new password."""
    link = mailed_link("second_factor_changed")
    client.get(link)
    client.post(link, data={"submit": "Continue", **fields})
    client.get(mailed_link("reset_password"))
    client.post("/account/reset-password/form", data={"new_password": NEW, "new_password2": NEW})


@pytest.fixture
def robbed(app: Flask, db: SQLAlchemy) -> User:
    """Return a user in whose session somebody else has set an app up."""
    user = make_user()
    db.session.add(LinkedIdentity(user_id=user.id, issuer="https://id.example", subject="thief", provider="x"))
    turn_on(browser_of(app, user), user)
    return user


def test_what_was_added_lately_is_removed_with_the_intruder(client: FlaskClient, robbed: User, db: SQLAlchemy) -> None:
    assert 'name="remove_recent"' in client.get(mailed_link("second_factor_changed")).text
    take_back(client, remove_recent="y")
    assert LinkedIdentity.of(robbed) == []
    assert RecoveryCode.left(robbed) == 0
    assert sign_in(client, robbed, NEW).location == "/"
    assert "second_factor_changed" in mailed_kinds()


def test_the_owner_can_keep_it(client: FlaskClient, robbed: User) -> None:
    take_back(client)
    assert sign_in(client, robbed, NEW).location == SECOND_STEP


def test_what_is_older_stays_and_is_asked_for(app: Flask, client: FlaskClient, robbed: User, db: SQLAlchemy) -> None:
    week_ago = utc_now() - timedelta(days=7, seconds=1)
    db.session.execute(update(AuthenticatorApp).values(created_at=week_ago))
    handle = b"of the thief"
    db.session.add(Passkey(user_id=robbed.id, credential_id=handle, user_handle=handle, public_key=b"-", name="x"))
    db.session.commit()
    save_codes(browser_of(app, robbed))
    take_back(client, remove_recent="y")
    assert Passkey.of(robbed) == []
    assert second_factors(robbed) == {"app", "recovery_code"}
    assert RecoveryCode.left(robbed) == 0, "the intruder has read them"
    assert sign_in(client, robbed, NEW).location == SECOND_STEP


def test_without_anything_recent_nothing_is_offered(client: FlaskClient, robbed: User, db: SQLAlchemy) -> None:
    for model in (AuthenticatorApp, LinkedIdentity):
        db.session.execute(update(model).values(created_at=utc_now() - timedelta(days=8)))
    db.session.commit()
    assert "remove_recent" not in client.get(mailed_link("second_factor_changed")).text
