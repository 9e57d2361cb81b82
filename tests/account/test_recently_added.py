"""A reset offers to remove what an intruder may have added, and never what is older than a week."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app.email import catalog
from app.kit.db.database import utc_now
from app.models import (
    AuditEvent,
    AuthenticatorApp,
    Email,
    LinkedIdentity,
    Passkey,
    RecoveryCode,
    User,
    Way,
    second_factors,
)
from tests.factories import make_user
from tests.test_sign_in import set_up

NEW = {"new_password": "nanosecond wire in hand", "new_password2": "nanosecond wire in hand"}
FORM = "/account/reset-password/form"


@pytest.fixture
def user(client: FlaskClient, db: SQLAlchemy) -> User:
    """Return a user with new ways in of each kind, whose browser has the form of a reset open."""
    user = make_user(time_zone="Europe/Berlin")
    set_up(db, user, Way.APP, Way.PASSKEY, Way.RECOVERY_CODE)
    db.session.add(LinkedIdentity(user_id=user.id, issuer="https://id.example", subject="7", provider="example"))
    db.session.commit()
    client.get(f"/account/reset-password/{user.generate_password_reset_token()}")
    return user


def keys(user: User) -> list[str]:
    linked = LinkedIdentity.of(user)[0]
    return [f"passkey-{Passkey.of(user)[0].id}", f"app-{AuthenticatorApp.of(user).id}", f"linked-{linked.id}"]


def test_what_is_new_is_offered_and_removed_if_chosen(client: FlaskClient, user: User) -> None:
    page = client.get(FORM).text
    assert "Passkey “A key”" in page
    assert " CET" in page, "when it was added, in the owner's zone"
    passkey, _app, linked = keys(user)
    assert client.post(FORM, data={**NEW, "remove": [passkey, linked]}).location == "/account/login"
    assert (Passkey.of(user), LinkedIdentity.of(user)) == ([], [])
    assert second_factors(user) == {Way.APP, Way.RECOVERY_CODE}, "what was not chosen stays"
    assert AuditEvent.query.filter_by(event="way_in.removed", subject_id=user.id).count() == 2
    mail = catalog.emails["password_changed"].compose(Email.query.one())
    assert "were removed with it: Passkey “A key”, Log in with example." in mail.text


def test_codes_go_with_the_last_second_factor(client: FlaskClient, user: User) -> None:
    client.post(FORM, data={**NEW, "remove": keys(user)[:2]})
    assert RecoveryCode.left(user) == 0


def test_what_is_older_than_a_week_and_somebody_elses_stays(client: FlaskClient, db: SQLAlchemy, user: User) -> None:
    other = make_user()
    set_up(db, other, Way.PASSKEY)
    chosen = [*keys(user), "codes", f"passkey-{Passkey.of(other)[0].id}"]
    codes = RecoveryCode.query.filter_by(user_id=user.id).all()
    for row in (*Passkey.of(user), AuthenticatorApp.of(user), *LinkedIdentity.of(user), *codes):
        row.created_at = utc_now() - timedelta(days=7, minutes=1)
    db.session.commit()
    asked_for = second_factors(user)
    assert "Remove" not in client.get(FORM).text
    assert client.post(FORM, data={**NEW, "remove": chosen}).location == "/account/login"
    assert second_factors(user) == asked_for >= {Way.APP, Way.RECOVERY_CODE}
    assert LinkedIdentity.of(user)
    assert Passkey.of(other)
    assert RecoveryCode.left(user) == 1


def test_new_recovery_codes_are_used_up_and_the_older_second_factor_is_still_asked_for(
    client: FlaskClient, db: SQLAlchemy, user: User
) -> None:
    for row in (*Passkey.of(user), AuthenticatorApp.of(user)):
        row.created_at = utc_now() - timedelta(days=30)
    db.session.commit()
    asked_for = second_factors(user)
    client.post(FORM, data={**NEW, "remove": ["codes", keys(user)[2]]})
    assert (RecoveryCode.left(user), LinkedIdentity.of(user)) == (0, [])
    assert second_factors(user) == asked_for >= {Way.APP, Way.RECOVERY_CODE}


def test_this_was_not_me_offers_it_at_once_since_a_passkey_of_the_intruder_logs_in(
    client: FlaskClient, db: SQLAlchemy, user: User
) -> None:
    link = f"/account/not-me/{user.generate_not_me_token(user.email)}"
    page = client.get(link).text
    assert "Passkey “A key”" in page
    assert "Log in with example" not in page, "these are all unlinked"
    assert client.post(link, data={"remove": keys(user)[0]}).location == "/account/login"
    assert (Passkey.of(user), LinkedIdentity.of(user)) == ([], [])
    assert second_factors(user) == {Way.APP, Way.RECOVERY_CODE}
    assert AuditEvent.query.filter_by(event="way_in.removed", subject_id=user.id).count() == 1
