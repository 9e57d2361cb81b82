"""Tests for jobs and their schedule: once per due time, with one run for all missed ones."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event, func, insert, select, update

from app import jobs
from app.jobs import schedule
from app.kit.db import batches
from app.kit.db.database import utc_now
from app.kit.jobs import queue
from app.kit.jobs.queue import Job
from app.kit.jobs.schedule import Entry, Schedule
from app.models import AuditEvent, DataExport, EditableHTML, Email, ScheduledJob, TextRevision, User, UserSession
from tests.factories import make_admin, make_user
from tests.servers.waiting import in_threads


@pytest.fixture(autouse=True)
def _empty_queue(app: Flask, db: SQLAlchemy) -> None:
    app.extensions["redis"].flushdb()


def make_due(db: SQLAlchemy, name: str, ago: timedelta = timedelta(seconds=1)) -> None:
    db.session.execute(update(ScheduledJob).where(ScheduledJob.name == name).values(next_run_at=utc_now() - ago))
    db.session.commit()


def enqueued(app: Flask) -> list[str]:
    return [stored.description for stored in queue.queue_named().jobs]


def run_schedule(app: Flask) -> None:
    schedule.enqueue_due(app.extensions["redis"])


def test_a_new_entry_waits_for_its_first_time(app: Flask, db: SQLAlchemy) -> None:
    schedule.plan()
    run_schedule(app)
    assert enqueued(app) == []
    planned = db.session.scalars(select(ScheduledJob.next_run_at)).all()
    assert len(planned) == len(schedule.entries)
    assert all(moment > utc_now() for moment in planned)


def test_a_due_entry_runs_once_and_is_planned_anew(app: Flask, db: SQLAlchemy) -> None:
    schedule.plan()
    make_due(db, "Purge sent emails")
    run_schedule(app)
    run_schedule(app)
    assert enqueued(app) == ["Purge sent emails"]
    row = db.session.get(ScheduledJob, "Purge sent emails")
    assert row.next_run_at > utc_now()
    assert utc_now() - row.last_run_at < timedelta(seconds=5)


def test_runs_missed_during_a_week_are_caught_up_once(app: Flask, db: SQLAlchemy) -> None:
    schedule.plan()
    make_due(db, "Purge sent emails", ago=timedelta(days=7))
    schedule.plan()
    run_schedule(app)
    run_schedule(app)
    assert enqueued(app) == ["Purge sent emails"]


def test_of_ten_workers_one_takes_the_run(app: Flask, db: SQLAlchemy) -> None:
    schedule.plan()
    make_due(db, "Purge sent emails")

    def work() -> None:
        with app.app_context():
            run_schedule(app)

    in_threads(10, work)
    assert enqueued(app) == ["Purge sent emails"]


def test_ten_workers_that_start_at_once_plan_one_row_each(app: Flask, db: SQLAlchemy) -> None:
    def work() -> None:
        with app.app_context():
            schedule.plan()

    in_threads(10, work)
    assert db.session.scalar(select(func.count()).select_from(ScheduledJob)) == len(schedule.entries)


def test_while_redis_is_away_a_run_stays_due(app: Flask, db: SQLAlchemy) -> None:
    schedule.plan()
    make_due(db, "Purge sent emails")
    schedule.enqueue_due(queue.connect("redis://127.0.0.1:1/0", timeout_seconds=0.1))
    run_schedule(app)
    assert enqueued(app) == ["Purge sent emails"]


def test_an_entry_that_is_made_more_frequent_does_not_wait_for_its_old_time(app: Flask, db: SQLAlchemy) -> None:
    Schedule(ScheduledJob, [Entry(jobs.purge_emails, "0 0 1 1 *")]).plan()
    Schedule(ScheduledJob, [Entry(jobs.purge_emails, "* * * * *")]).plan()
    planned = db.session.scalar(select(ScheduledJob.next_run_at))
    assert planned - utc_now() <= timedelta(minutes=1)


def test_cron_times_are_utc() -> None:
    entry = Entry(jobs.purge_emails, "17 3 * * *")
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert entry.next_run_after(noon) == datetime(2026, 11, 22, 3, 17, tzinfo=UTC)


def test_every_entry_names_a_job_of_its_own() -> None:
    names = [entry.name for entry in schedule.entries]
    assert len(set(names)) == len(names)
    assert all(entry.next_run_after(utc_now()) > utc_now() for entry in schedule.entries)


def test_sent_emails_are_purged_after_their_time_and_dead_ones_stay(app: Flask, db: SQLAlchemy) -> None:
    old = utc_now() - timedelta(days=app.config["SENT_EMAIL_DAYS"] + 1)
    for state, moment in [("sent", old), ("canceled", old), ("dead", old), ("pending", old), ("sent", utc_now())]:
        db.session.add(Email(recipient="a@b.example", subject="s", template="t", state=state, created_at=moment))
    db.session.commit()
    jobs.purge_emails()
    assert sorted(db.session.scalars(select(Email.state))) == ["dead", "pending", "sent"]


LONG_AGO = utc_now() - timedelta(days=5000)


@pytest.mark.parametrize(
    ("purge", "model", "values", "setting"),
    [
        (
            jobs.purge_emails,
            Email,
            {"recipient": "a@b.example", "subject": "s", "template": "t", "state": "sent"},
            None,
        ),
        (jobs.purge_audit_log, AuditEvent, {"event": "user.confirmed"}, "AUDIT_RETENTION_DAYS"),
        (jobs.purge_sessions, UserSession, {}, None),
        (jobs.purge_exports, DataExport, {}, None),
        (jobs.purge_unconfirmed_accounts, User, {"role_id": 1}, "UNCONFIRMED_ACCOUNT_DAYS"),
    ],
)
def test_a_large_purge_holds_its_locks_for_one_batch_at_a_time(
    purge: Job,
    model: type[Any],
    values: dict[str, Any],
    setting: str | None,
    app: Flask,
    db: SQLAlchemy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A batch deletes what was looked for before: nothing is searched while locks are held."""
    if setting:
        monkeypatch.setitem(app.config, setting, 1)
    rows = 10 * (jobs.FIRST_USERS if model is User else batches.FIRST)
    owner = {"user_id": make_user().id} if model in {UserSession, DataExport} else {}
    unique = {UserSession: ["token_hash"], User: ["uid", "email"]}.get(model, [])
    written = [values | owner | dict.fromkeys(unique, f"{number}@example.org") for number in range(rows)]
    for row in written:
        row["created_at"] = LONG_AGO
    db.session.execute(insert(model), written)
    db.session.commit()
    transactions: list[list[str]] = [[]]

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        transactions[-1].append(statement)

    def end(_connection: object) -> None:
        transactions.append([])

    event.listen(db.engine, "before_cursor_execute", note)
    event.listen(db.engine, "commit", end)
    try:
        purge()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
        event.remove(db.engine, "commit", end)
    deletion = f"DELETE FROM {model.__tablename__} "  # noqa: S608 - nothing runs it
    deletions = [[text for text in one if text.startswith(deletion)] for one in transactions]
    assert {len(one) for one in deletions} == {0, 1}
    # Each batch is at most twice as large as the one before.
    assert sum(map(len, deletions)) >= 4
    assert not any("SELECT" in text for one in deletions for text in one)
    assert db.session.scalar(select(func.count()).select_from(model).where(model.created_at == LONG_AGO)) == 0


def test_no_purge_deletes_what_a_page_said_before(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "AUDIT_RETENTION_DAYS", 1)
    text = EditableHTML(editor_name="terms", value="now")
    db.session.add_all([text, TextRevision(text=text, value="before", created_at=LONG_AGO)])
    db.session.commit()
    for entry in jobs.schedule.entries:
        if entry.name.startswith("Purge"):
            entry.job()
    assert db.session.scalars(select(TextRevision.value)).all() == ["before"]


def test_expired_sessions_are_purged(db: SQLAlchemy) -> None:
    user = make_user()
    living, _ = UserSession.start(user, True, "", "")
    expired, _ = UserSession.start(user, True, "", "")
    expired.created_at = utc_now() - timedelta(days=31)
    db.session.commit()
    kept_id = living.id
    jobs.purge_sessions()
    assert db.session.scalars(select(UserSession.id)).all() == [kept_id]


@pytest.mark.parametrize(("days", "left"), [(0, 4), (7, 3)])
def test_unconfirmed_accounts_are_purged_only_when_asked_for(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch, days: int, left: int
) -> None:
    monkeypatch.setitem(app.config, "UNCONFIRMED_ACCOUNT_DAYS", days)
    old = utc_now() - timedelta(days=8)
    make_user(created_at=old)
    make_user(created_at=old, confirmed=False)
    make_user(confirmed=False)
    make_admin(created_at=old, confirmed=False)
    jobs.purge_unconfirmed_accounts()
    assert db.session.scalar(select(func.count()).select_from(User)) == left


@pytest.mark.parametrize(("days", "left"), [(0, 2), (90, 1)])
def test_the_audit_log_is_purged_only_when_asked_for(
    app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch, days: int, left: int
) -> None:
    monkeypatch.setitem(app.config, "AUDIT_RETENTION_DAYS", days)
    db.session.add(AuditEvent(event="old", created_at=utc_now() - timedelta(days=91)))
    db.session.add(AuditEvent(event="new"))
    db.session.commit()
    jobs.purge_audit_log()
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == left


def test_an_export_whose_job_got_lost_is_written_all_the_same(db: SQLAlchemy) -> None:
    export = DataExport(user=make_user())
    db.session.add(export)
    db.session.commit()
    jobs.export_waiting()
    jobs.export_waiting()
    assert export.content is not None
    assert db.session.scalars(select(Email.kind)).all() == ["export_ready"]


def test_an_email_wakes_the_worker_once_a_transaction_after_the_commit(app: Flask, db: SQLAlchemy) -> None:
    for _ in range(3):
        db.session.add(Email(recipient="a@b.example", subject="s", template="t"))
    db.session.flush()
    assert enqueued(app) == []
    db.session.commit()
    assert enqueued(app) == ["Deliver email"]
    [stored] = queue.queue_named().jobs
    assert stored.args == [db.session.scalar(select(func.min(Email.id)))]
