"""Emails that an anonymous visitor can cause: one a minute and five an hour for each recipient, of any kind."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from app import email
from app.email import catalog
from app.jobs import outbox, purge_recipient_limits
from app.kit.db.database import utc_now
from app.models import Email, RecipientLimit, User
from tests.factories import PASSWORD, let_in, make_user
from tests.queries import recorded_queries
from tests.together import together

ADDRESS = "grace@example.org"
NEW_PASSWORD = "nanosecond wire in hand"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def register(client: FlaskClient, address: str = ADDRESS) -> TestResponse:
    person = {"first_name": "Grace", "last_name": "Hopper", "email": address}
    return client.post("/account/register", data={**person, "password": NEW_PASSWORD, "password2": NEW_PASSWORD})


def ask_for_reset(client: FlaskClient, address: str = ADDRESS) -> TestResponse:
    return client.post("/account/reset-password", data={"email": address})


def ask_for_code(client: FlaskClient, address: str = ADDRESS) -> TestResponse:
    return client.post("/account/email-code", data={"email": address})


def move_there(client: FlaskClient, address: str = ADDRESS) -> TestResponse:
    return client.post("/account/manage/change-email", data={"email": address, "password": PASSWORD})


def let_pass(db: SQLAlchemy, time: timedelta) -> None:
    """Act as if this much time had passed."""
    for row in db.session.scalars(select(Email)).all():
        row.due_at, row.created_at = row.due_at - time, row.created_at - time
    for limit in db.session.scalars(select(RecipientLimit)).all():
        limit.slots = [slot - time.total_seconds() for slot in limit.slots]
        limit.last_slot_at -= time
    db.session.commit()


def deliver(app: Flask) -> list[str]:
    """Send what is due, as the worker does; return the spellings of the address it was sent to."""
    folder = app.config["MAILBOX_DIR"]
    for old in folder.iterdir():
        old.unlink()
    outbox.deliver(go_on=lambda: True)
    lines = [line for file in folder.iterdir() for line in file.read_text().splitlines()]
    return [line[4:] for line in lines if line.lower() == f"to: {ADDRESS}"]


def flood(app: Flask, db: SQLAlchemy, attempt: Callable[[int], TestResponse]) -> list[datetime]:
    """Try repeatedly for more than an hour, sending what is due; return the times at which an email was sent."""
    begin, passed, sent = utc_now(), timedelta(0), []
    for number, step in enumerate([MINUTE / 2] * 9 + [16 * MINUTE] * 5):
        assert attempt(number).status_code == 302
        sent += [begin + passed] * len(deliver(app))
        let_pass(db, step)
        passed += step
    return sent


def assert_within_limit(moments: list[datetime]) -> None:
    for earlier, later in pairwise(moments):
        assert later - earlier >= MINUTE
    for first, sixth in zip(moments, moments[5:], strict=False):
        assert sixth - first >= HOUR


def test_twenty_sign_ups_in_a_row_make_one_mail_now_and_one_a_minute_later(
    app: Flask, client: FlaskClient, db: SQLAlchemy
) -> None:
    for _ in range(10):
        assert register(client).status_code == 302
    assert deliver(app) == [ADDRESS]
    for _ in range(10):
        assert register(client).status_code == 302
    waiting = db.session.scalars(select(Email).where(Email.state == "pending")).one()
    first, second = db.session.scalars(select(RecipientLimit.slots)).one()
    assert second - first == pytest.approx(60)
    assert waiting.due_at.timestamp() == pytest.approx(second)
    assert deliver(app) == []


def test_forty_sign_ups_at_once_make_one_mail(app: Flask, db: SQLAlchemy) -> None:
    answers = together([lambda: register(app.test_client())] * 40)
    assert {answer.status_code for answer in answers} == {302}
    assert db.session.scalar(select(func.count()).select_from(Email)) == 1
    assert deliver(app) == [ADDRESS]


def test_forty_at_once_of_several_kinds_keep_the_distance(app: Flask, db: SQLAlchemy) -> None:
    kinds = [lambda: register(app.test_client()), lambda: ask_for_reset(app.test_client())]
    for number in range(4):
        mover = app.test_client()
        let_in(mover, make_user(email=f"mover{number}@example.org"))
        kinds.append(lambda mover=mover: move_there(mover))
    db.session.commit()
    answers = together((kinds * 7)[:40])
    assert {answer.status_code for answer in answers} == {302}
    moments = sorted(db.session.scalars(select(Email.due_at).where(func.lower(Email.recipient) == ADDRESS)))
    # If the sign-up comes first, all four movers cause the same email to its owner: three kinds are left.
    assert 3 <= len(moments) <= 5
    assert_within_limit(moments)


@pytest.mark.parametrize("owner", ["nobody", "newcomer", "user"])
def test_a_flood_of_all_kinds_and_spellings_keeps_the_limit(
    app: Flask, client: FlaskClient, db: SQLAlchemy, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAGIC_LINK", True)
    if owner != "nobody":
        make_user(email=ADDRESS, confirmed=owner == "user")
    let_in(mover := app.test_client(), make_user(email="mover@example.org"))
    spellings = [ADDRESS, "Grace@Example.ORG", " GRACE@example.org ", "ｇrace@example.org"]

    def attempt(number: int) -> TestResponse:
        # After a sign-up the address belongs to that user, in one spelling.
        ask = (ask_for_reset, register if owner != "nobody" else ask_for_reset, ask_for_code)[number % 3]
        ask(app.test_client(), spellings[number % 4])
        return move_there(mover, spellings[number % 3])

    moments = flood(app, db, attempt)
    assert_within_limit(moments)
    assert len(moments) >= (1 if owner == "nobody" else 5)


def test_one_kind_goes_on_after_the_hour(app: Flask, client: FlaskClient, db: SQLAlchemy) -> None:
    make_user(email=ADDRESS)
    moments = flood(app, db, lambda _: ask_for_reset(app.test_client()))
    assert_within_limit(moments)
    assert len([moment for moment in moments if moment - moments[0] < HOUR]) == 5
    assert len(moments) > 5


def test_what_is_dropped_is_logged_without_the_address(
    app: Flask, client: FlaskClient, db: SQLAlchemy, caplog: pytest.LogCaptureFixture
) -> None:
    flood(app, db, lambda _: ask_for_reset(app.test_client()))
    dropped = [record for record in caplog.records if "email dropped" in record.getMessage()]
    assert dropped
    assert not [record for record in caplog.records if ADDRESS in record.getMessage()]


def test_an_unknown_address_costs_the_same_statements_all_the_way(app: Flask, db: SQLAlchemy) -> None:
    make_user(email="known@example.org")
    costs = {}
    for address in ("known@example.org", "unknown@example.org"):
        costs[address] = []
        for _ in range(8):
            with recorded_queries(db.engine) as statements:
                ask_for_reset(app.test_client(), address)
            costs[address].append([statement.split("(")[0][:40] for statement in statements])
            deliver(app)
            let_pass(db, MINUTE)
    assert costs["known@example.org"] == costs["unknown@example.org"]
    assert len({len(cost) for cost in costs["known@example.org"]}) > 1, "the limit was reached on the way"


def test_an_email_that_the_server_refuses_for_now_is_tried_again_when_somebody_asks(db: SQLAlchemy) -> None:
    user = make_user()
    email.reset_password.send(user)
    db.session.commit()
    let_pass(db, MINUTE)
    db.session.execute(update(Email).values(attempts=7, due_at=utc_now() + HOUR))
    email.reset_password.send(user)
    db.session.commit()
    row = db.session.scalars(select(Email)).one()
    assert row.attempts == 0
    assert row.due_at <= utc_now()


def test_notices_and_recovery_cannot_be_silenced(db: SQLAlchemy) -> None:
    user = make_user()
    limited = {name for name, entry in catalog.emails.items() if entry.limited_per_recipient}
    assert limited == {"confirm", "reset_password", "already_registered", "change_email", "mailed_code"}
    for _ in range(8):
        email.reset_password.send(user)
        email.password_changed.send(user, ip_address="", browser="")
        email.reset_password.send_unlimited(user)
    db.session.commit()
    kinds = list(db.session.scalars(select(Email.kind).where(Email.due_at <= utc_now())))
    assert kinds.count("password_changed") == 8
    assert kinds.count("reset_password") >= 8


def test_who_took_an_account_back_gets_the_link_whatever_strangers_did(app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    db.session.add(RecipientLimit(address=user.email, slots=[utc_now().timestamp()] * 5, last_slot_at=utc_now()))
    db.session.commit()
    app.test_client().post(f"/account/not-me/{user.generate_not_me_token(user.email)}")
    assert db.session.scalars(select(Email.kind)).all() == ["reset_password"]


def test_an_account_that_exists_can_be_entered_with_any_mail_that_a_stranger_causes(db: SQLAlchemy) -> None:
    user = make_user()
    email.already_registered.send(user)
    db.session.commit()
    rendered = catalog.emails["already_registered"].compose(db.session.scalars(select(Email)).one())
    token = re.search(r"/account/reset-password/(\S+)", rendered.text)
    assert User.with_token("reset_password", token[1]) == user


def test_counts_are_forgotten_after_the_hour(db: SQLAlchemy) -> None:
    now = utc_now()
    for name, moment in {"old": now - HOUR - MINUTE, "new": now - MINUTE, "next": now + MINUTE}.items():
        db.session.add(RecipientLimit(address=name, slots=[moment.timestamp()], last_slot_at=moment))
    db.session.commit()
    purge_recipient_limits()
    assert sorted(db.session.scalars(select(RecipientLimit.address))) == ["new", "next"]


def test_the_count_is_kept_in_utc_seconds(db: SQLAlchemy) -> None:
    email.reset_password.send_to_nobody(ADDRESS)
    db.session.commit()
    limit, row = db.session.scalars(select(RecipientLimit)).one(), db.session.scalars(select(Email)).one()
    assert datetime.fromtimestamp(limit.slots[0], UTC) == row.due_at == limit.last_slot_at
    assert abs(utc_now() - row.due_at) < timedelta(seconds=5)
