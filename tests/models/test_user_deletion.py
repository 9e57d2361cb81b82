"""A deleted user leaves no personal data behind, whichever way the account was deleted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import insert, select, text, update

from app import email, jobs
from app.extensions import db
from app.jobs import outbox
from app.kit.db.database import utc_now
from app.models import AuditEvent, Email, RecipientLimit, User, delete_user, delete_users
from tests.factories import PASSWORD, let_in, make_admin, make_user
from tests.queries import recorded_queries
from tests.together import wait_for_lock

ADDRESS = "ada@example.org"


def leave_alone(_client: FlaskClient, user: User) -> None:
    let_in(_client, user)
    _client.post("/account/manage/delete", data={"password": PASSWORD})


def be_deleted(client: FlaskClient, user: User) -> None:
    let_in(client, make_admin())
    client.post(f"/admin/user/{user.id}/_delete")


def never_confirm(client: FlaskClient, user: User) -> None:
    user.created_at, user.confirmed = utc_now() - timedelta(days=8), False
    client.application.config["UNCONFIRMED_ACCOUNT_DAYS"] = 7
    jobs.purge_unconfirmed_accounts()
    client.application.config["UNCONFIRMED_ACCOUNT_DAYS"] = 0


def be_deleted_by_a_fork(_client: FlaskClient, user: User) -> None:
    db.session.delete(user)
    db.session.commit()


@pytest.mark.parametrize("leave", [leave_alone, be_deleted, never_confirm, be_deleted_by_a_fork])
def test_nothing_that_names_a_user_is_left(client: FlaskClient, leave: Callable[[FlaskClient, User], None]) -> None:
    user = make_user(email=ADDRESS, last_name="Lovelace")
    email.reset_password.send(user)
    email.export_ready.send(user)
    AuditEvent.record("user.confirmed", subject=user)
    db.session.execute(update(AuditEvent).values(ip_address="203.0.113.7"))
    db.session.commit()
    leave(client, user)
    outbox.deliver(go_on=lambda: True)
    assert User.with_email(ADDRESS) is None
    left = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(select(table))]
    assert not [row for row in left if ADDRESS in row or "Lovelace" in row or "203.0.113.7" in row]


def test_others_keep_the_addresses_from_which_they_acted(db: SQLAlchemy) -> None:
    admin, user = make_admin(), make_user()
    user_id = user.id
    for actor, subject in ((admin, user), (user, user), (user, admin), (None, user)):
        AuditEvent.record("email.changed", actor=actor, subject=subject)
    db.session.execute(update(AuditEvent).values(ip_address="203.0.113.7"))
    delete_user(user)
    db.session.commit()
    rows = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [row.ip_address for row in rows] == ["203.0.113.7", "", "", ""]
    assert [row.former_subject_id for row in rows] == [user_id, user_id, None, user_id]


def test_the_last_email_is_kept_until_it_is_sent(client: FlaskClient, db: SQLAlchemy) -> None:
    leave_alone(client, make_user(email=ADDRESS))
    assert db.session.scalars(select(Email.recipient)).all() == [ADDRESS]
    outbox.deliver(go_on=lambda: True)
    assert db.session.scalars(select(Email.id)).all() == []


def test_an_address_that_a_stranger_typed_is_kept_until_its_email_is_canceled(
    client: FlaskClient, db: SQLAlchemy
) -> None:
    client.post("/account/reset-password", data={"email": "nobody@example.org"})
    assert db.session.scalars(select(Email.recipient)).all() == ["nobody@example.org"]
    outbox.deliver(go_on=lambda: True)
    assert db.session.scalars(select(Email.id)).all() == []


@pytest.mark.parametrize(("days", "left"), [(6, 1), (8, 0)])
def test_a_last_email_that_cannot_be_sent_waits_a_week(
    app: Flask, client: FlaskClient, db: SQLAlchemy, days: int, left: int
) -> None:
    leave_alone(client, make_user())
    db.session.execute(update(Email).values(state="dead", created_at=utc_now() - timedelta(days=days)))
    db.session.commit()
    jobs.purge_emails()
    assert len(db.session.scalars(select(Email.id)).all()) == left


def test_who_confirms_while_stale_accounts_are_deleted_stays(app: Flask, db: SQLAlchemy) -> None:
    user = make_user(confirmed=False)

    def purge() -> int:
        with app.app_context():
            deleted = delete_users(User.confirmed.is_(False), at_most=10)
            db.session.commit()
            return deleted

    with ThreadPoolExecutor(1) as other, db.engine.begin() as confirming:
        confirming.execute(update(User).where(User.id == user.id).values(confirmed=True))
        deleted = other.submit(purge)
        # On PostgreSQL it has already read that the account is not confirmed; on SQLite it cannot even begin.
        wait_for_lock(db.engine)
        confirming.commit()
        assert deleted.result(timeout=60) == 0
    db.session.expire_all()
    assert user.confirmed


def test_the_count_of_an_address_goes_with_its_user(client: FlaskClient, db: SQLAlchemy) -> None:
    user = make_user(email="Ada@Example.org")
    email.reset_password.send(user)
    email.reset_password.send_to_nobody("other@example.org")
    db.session.commit()
    be_deleted(client, user)
    assert db.session.scalars(select(RecipientLimit.address)).all() == ["other@example.org"]


def test_a_deletion_finds_the_events_by_their_indexes(db: SQLAlchemy) -> None:
    user = make_user()
    db.session.execute(insert(AuditEvent), [{"event": "user.logged_in", "ip_address": ""} for _ in range(2000)])
    db.session.commit()
    if db.engine.dialect.name == "sqlite":
        db.session.execute(text("ANALYZE"))
    with recorded_queries(db.engine) as statements:
        delete_user(user)
    updates = [one for one in statements if one.startswith("UPDATE audit_events")]
    try:
        for statement in updates if db.engine.dialect.name == "sqlite" else ():
            plan = db.session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", (1,) * statement.count("?")
            )
            assert not [row[-1] for row in plan if row[-1].startswith("SCAN audit_events")]
    finally:
        db.session.rollback()
        if db.engine.dialect.name == "sqlite":
            db.session.execute(text("DELETE FROM sqlite_stat1"))
            db.session.commit()
    assert len(updates) == 3
