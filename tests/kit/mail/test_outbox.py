"""No email is lost and none is sent twice, whatever fails; there is one small test for each fault."""

import time
from datetime import timedelta

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select, text, update

from app.jobs import deliver_email, outbox
from app.kit.db.database import utc_now
from app.kit.mail import outbox as outbox_module
from app.kit.mail.rows import EmailState
from app.models import Email
from tests.kit.conftest import send_to
from tests.servers.absent_database import send_away
from tests.servers.faulty_smtp import SmtpServer
from tests.servers.forking import ForkedProcess
from tests.servers.waiting import in_threads, wait_until


@pytest.fixture(autouse=True)
def _ready(db: SQLAlchemy) -> None:
    """Enter the app's context with an empty outbox."""


def add_email(**columns: object) -> int:
    """Return the id of a committed email that is due now."""
    row = Email(
        recipient="ada@example.com",
        subject="Hello",
        template="account/email/account_deleted",
        context={"full_name": "Ada"},
        **columns,
    )
    session = Email.query.session
    session.add(row)
    session.commit()
    return row.id


def deliver(email_id: int | None = None) -> None:
    outbox.deliver(email_id, go_on=lambda: True)


def row() -> Email:
    session = Email.query.session
    session.rollback()
    session.expire_all()
    return session.scalars(select(Email)).one()


def make_due() -> None:
    """End every wait and every lease."""
    session = Email.query.session
    session.execute(update(Email).values(due_at=utc_now() - timedelta(seconds=1)))
    session.commit()


def seconds_until_due() -> float:
    return (row().due_at - utc_now()).total_seconds()


def test_a_delivered_email_is_noted_as_sent(smtp: SmtpServer) -> None:
    email_id = add_email()
    deliver(email_id)
    [message] = smtp.messages
    assert message["To"] == "ada@example.com"
    assert (row().state, row().attempts, row().last_error) == ("sent", 1, "")
    assert row().sent_at is not None


def test_a_sent_email_is_not_sent_again(smtp: SmtpServer) -> None:
    email_id = add_email()
    deliver(email_id)
    make_due()
    deliver(email_id)
    deliver()
    assert len(smtp.messages) == 1


def test_many_due_emails_leave_over_one_connection_urgent_ones_first(smtp: SmtpServer) -> None:
    for priority in (30, 20, 10, 20):
        add_email(priority=priority)
    before = smtp.connections
    deliver()
    ids = [str(message["Message-ID"]).split("-")[1].split(".")[0] for message in smtp.messages]
    first = min(int(number) for number in ids)
    assert [int(number) - first for number in ids] == [2, 1, 3, 0]
    assert smtp.connections - before == 1


def test_in_development_messages_become_files(app: Flask) -> None:
    email_id = add_email()
    deliver()
    assert (app.config["MAILBOX_DIR"] / f"{email_id}-1.eml").read_text().startswith("From: ")


# The mail server


def test_refused_connection(smtp: SmtpServer) -> None:
    smtp.stop()
    add_email()
    deliver()
    assert (row().state, row().attempts) == ("pending", 1)
    assert 42 * 0.7 < seconds_until_due() < 42 * 1.3
    smtp.start()
    make_due()
    deliver()
    assert row().state == "sent"


@pytest.mark.parametrize("answer", ["421 closing", "451 later"])
@pytest.mark.parametrize("moment", ["connect", "mail", "rcpt", "data"])
def test_temporary_refusal(smtp: SmtpServer, moment: str, answer: str) -> None:
    smtp.behavior[moment] = answer
    add_email()
    deliver()
    assert row().state == "pending"
    assert answer.split()[0] in row().last_error
    smtp.behavior.clear()
    make_due()
    deliver()
    assert (row().state, len(smtp.messages)) == ("sent", 1)


def test_permanent_refusal_is_dead_at_once_and_hurts_no_other(smtp: SmtpServer) -> None:
    smtp.behavior["rcpt"] = "550 no such user"
    add_email()
    deliver()
    assert row().state == "dead"
    assert "550" in row().last_error
    smtp.behavior.clear()
    make_due()
    deliver()
    assert smtp.messages == []


def test_slow_server(app: Flask, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "MAIL_TIMEOUT", 1)
    smtp.behavior["data"] = "stall"
    add_email()
    started_at = time.monotonic()
    deliver()
    assert time.monotonic() - started_at < 10
    assert row().state == "pending"


@pytest.mark.parametrize("moment", ["connect", "rcpt", "data", "after_data"])
def test_half_closed_connection(smtp: SmtpServer, moment: str) -> None:
    smtp.behavior[moment] = "close"
    add_email()
    deliver()
    assert row().state == "pending"


def test_a_server_that_is_away_is_not_asked_for_every_email(smtp: SmtpServer) -> None:
    smtp.stop()
    for _ in range(10):
        add_email()
    tried = outbox.deliver(go_on=lambda: True)
    assert tried == outbox_module.SERVER_FAILURES_PER_ROUND


def test_wrong_settings_are_temporary_and_loud(
    app: Flask, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    send_to(smtp, app, monkeypatch, MAIL_USE_TLS=True)
    add_email()
    deliver()
    assert row().state == "pending"
    assert any(record.levelname == "ERROR" and "settings" in record.message for record in caplog.records)


def test_after_twelve_tries_over_a_day_an_email_is_given_up(smtp: SmtpServer) -> None:
    smtp.behavior["rcpt"] = "451 later"
    add_email()
    waited_seconds, tries = 0.0, 0
    while row().state == "pending":
        make_due()
        deliver()
        tries += 1
        waited_seconds += max(0.0, seconds_until_due())
    assert (row().state, tries) == ("dead", 12)
    assert 0.7 * 24 * 3600 < waited_seconds < 1.3 * 24 * 3600


# The message


@pytest.mark.parametrize(
    ("column", "value"),
    [("template", "account/email/nowhere"), ("subject", "Hello\nBcc: eve@example.com"), ("recipient", "nobody")],
)
def test_what_cannot_be_built_is_dead_at_once(smtp: SmtpServer, column: str, value: str) -> None:
    add_email()
    session = Email.query.session
    session.execute(update(Email).values({column: value}))
    session.commit()
    deliver()
    assert row().state == "dead"
    assert "cannot be built" in row().last_error
    assert smtp.messages == []


# Several at once


def test_ten_deliveries_of_one_email_at_once(app: Flask, smtp: SmtpServer) -> None:
    email_id = add_email()

    def work() -> None:
        with app.app_context():
            deliver_email(email_id)

    in_threads(10, work)
    assert len(smtp.messages) == 1
    assert (row().state, row().attempts) == ("sent", 1)


def test_four_workers_share_many_emails(app: Flask, smtp: SmtpServer) -> None:
    for _ in range(40):
        add_email()

    def work() -> None:
        with app.app_context():
            deliver()

    in_threads(4, work)
    identifiers = [message["Message-ID"] for message in smtp.messages]
    assert len(identifiers) == len(set(identifiers)) == 40


def test_an_email_that_is_being_sent_is_left_alone_until_its_lease_ends(smtp: SmtpServer) -> None:
    add_email()
    Email.claim(60)
    Email.query.session.commit()
    deliver()
    assert smtp.messages == []
    make_due()
    deliver()
    assert (len(smtp.messages), row().attempts) == (1, 2)


def test_who_lost_the_lease_cannot_record_an_outcome(smtp: SmtpServer) -> None:
    add_email()
    late = Email.claim(0)
    session = Email.query.session
    session.commit()
    time.sleep(0.01)
    assert late is not None
    assert Email.claim(60) is not None
    session.commit()
    assert Email.record_outcome(late, EmailState.DEAD) is False
    session.commit()
    assert row().state == "sending"


# A killed worker


@pytest.mark.parametrize(
    ("moment", "accepted_at_the_kill"), [("mail", 0), ("data", 0), ("after_data", 1)], ids=["before", "during", "after"]
)
def test_worker_killed(
    app: Flask, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch, moment: str, accepted_at_the_kill: int
) -> None:
    """Kill the worker before, during and after DATA: nothing is lost, and at most one message is sent twice."""
    add_email()
    smtp.behavior[moment] = "stall"
    before = smtp.connections
    process = ForkedProcess(app, deliver)
    wait_until(lambda: smtp.connections > before)
    wait_until(lambda: smtp.reached[moment] > 0)
    process.kill()
    assert (row().state, len(smtp.accepted)) == ("sending", accepted_at_the_kill)
    smtp.behavior.clear()
    deliver()
    assert len(smtp.accepted) == accepted_at_the_kill  # the lease still protects it
    make_due()
    deliver()
    assert row().state == "sent"
    assert len(smtp.accepted) == accepted_at_the_kill + 1
    assert len({message["Message-ID"] for message in smtp.messages}) == 1


# The database


@pytest.mark.parametrize(
    ("seconds", "patience_seconds"),
    [
        (1.5, 0.1),
        pytest.param(10, 0.1, marks=pytest.mark.thorough),
        pytest.param(10, 15, marks=pytest.mark.thorough),
    ],
)
def test_a_database_that_is_away_delays_the_note_but_doubles_nothing(
    app: Flask,
    database_url: str,
    smtp: SmtpServer,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    patience_seconds: float,
) -> None:
    """Only the chaos test restarts a real server."""
    add_email()
    real_send = outbox_module.SmtpTransport.send

    def send_then_lose_the_database(self: object, *arguments: object, **options: object) -> None:
        real_send(self, *arguments, **options)  # type: ignore[arg-type]
        send_away(database_url, seconds)
        if database_url.startswith("sqlite"):
            # On the session of the delivery, whose connection records the result next.
            Email.query.session.execute(text(f"PRAGMA busy_timeout = {patience_seconds * 1000:.0f}"))

    monkeypatch.setattr(outbox_module.SmtpTransport, "send", send_then_lose_the_database)
    deliver()
    # Drop connections that were cut or have the short timeout, so that later tests do not get them.
    Email.query.session.invalidate()
    app.extensions["sqlalchemy"].engine.dispose()
    assert (row().state, row().attempts, len(smtp.messages)) == ("sent", 1, 1)
