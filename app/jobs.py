"""The jobs and the schedule. See docs/delivery.md.

A job takes ids and short strings, and may run twice. ``purge_sessions.enqueue()`` enqueues it when
the current transaction commits; ``purge_sessions()`` runs it at once.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, delete, event, select
from sqlalchemy.orm.exc import StaleDataError

from app import backups, figures, pictures
from app.email import catalog, export_ready
from app.extensions import db
from app.kit.db import batches
from app.kit.db.batches import BatchSize
from app.kit.db.database import PLAIN, Model, lock_row, utc_now
from app.kit.jobs.queue import job
from app.kit.jobs.schedule import Entry, Schedule
from app.kit.mail.outbox import Outbox
from app.kit.mail.rows import EmailState
from app.models import (
    AuditEvent,
    BulkTask,
    DataExport,
    Email,
    Flow,
    FormerAddress,
    RecipientLimit,
    Role,
    ScheduledJob,
    SpentProof,
    StoredFile,
    User,
    UserSession,
    delete_stored_files,
    delete_users,
)
from app.models.stored_file import sweep_unused_files

# Long enough to deliver a small backlog at once, short enough to end before a platform kills the worker.
DELIVERY_SECONDS = 5
# With a user go the rows of many tables and indexes: a batch of users begins with fewer than one of other rows.
FIRST_USERS = 10

outbox = Outbox(Email, catalog.compose)


def init_app() -> None:
    """Wake the worker for every email that is committed from now on, by any app of this process."""
    if not event.contains(Email, "after_insert", wake_worker):
        event.listen(Email, "after_insert", wake_worker)


def wake_worker(_mapper: object, _connection: object, email: Email) -> None:
    """Enqueue the delivery, once per transaction: one job sends all emails that are due."""
    deliver_email.enqueue(email.id, once_as="wake worker")


@job("Deliver email", timeout_seconds=900, retry_after_seconds=())
def deliver_email(email_id: int) -> None:
    """Deliver one email, then others that are due, over the same connection.

    The job needs no retry: the sweeper enqueues emails that were not sent.
    """
    ends_at = time.monotonic() + DELIVERY_SECONDS
    outbox.deliver(email_id, go_on=lambda: time.monotonic() < ends_at)


@job("Purge sent emails")
def purge_emails() -> None:
    """Delete emails that were sent or canceled SENT_EMAIL_DAYS ago; dead ones stay for an administrator.

    Dead emails without a user are deleted after DEAD_EMAIL_ABOUT_NOBODY_LIFETIME: they name somebody who has left.
    """
    finished = Email.state.in_([EmailState.SENT, EmailState.CANCELED])
    delete_rows(Email, finished & (Email.created_at < days_ago(current_app.config["SENT_EMAIL_DAYS"])))
    dead = Email.state == EmailState.DEAD
    too_old = utc_now() - current_app.config["DEAD_EMAIL_ABOUT_NOBODY_LIFETIME"]
    delete_rows(Email, Email.about_nobody() & dead & (Email.created_at < too_old))


@job("Purge recipient limits")
def purge_recipient_limits() -> None:
    """Delete the limits of addresses that got no email for an hour."""
    hour_ago = utc_now() - timedelta(hours=1)
    idle = RecipientLimit.last_slot_at.is_(None) | (RecipientLimit.last_slot_at < hour_ago)
    delete_rows(RecipientLimit, idle)


@job("Purge expired sessions")
def purge_sessions() -> None:
    """Delete expired sessions, what was begun in a browser and never finished, and spent proofs of work."""
    delete_rows(UserSession, UserSession.is_over())
    delete_rows(Flow, Flow.is_over())
    delete_rows(SpentProof, SpentProof.expires_at < utc_now())


@job("Purge unconfirmed accounts")
def purge_unconfirmed_accounts() -> None:
    """Delete accounts not confirmed within UNCONFIRMED_ACCOUNT_DAYS, with their emails; 0 keeps them."""
    days = current_app.config["UNCONFIRMED_ACCOUNT_DAYS"]
    if days:
        administrators = [role.id for role in Role.administrators()]
        stale = User.confirmed.is_(False) & (User.created_at < days_ago(days)) & User.role_id.not_in(administrators)
        delete_in_batches(User, stale, lambda ids: delete_users(stale & User.id.in_(ids), len(ids)), FIRST_USERS)


@job("Purge former addresses")
def purge_former_addresses() -> None:
    """Delete former addresses older than 30 days, which can no longer restore an account."""
    delete_rows(FormerAddress, FormerAddress.is_over())


@job("Export a user's data")
def export_data(export_id: int) -> None:
    """Write a copy of a user's data and notify the user; do nothing if it is written already, or its user deleted."""
    export = db.session.get(DataExport, export_id)
    if export is None or not _can_begin(export):
        return
    export.write()
    export_ready.send(export.user)
    db.session.commit()


def _can_begin(export: DataExport) -> bool:
    """Lock the row. Return False if another worker has written it, or it was deleted."""
    try:
        lock_row(db.session, export)
    except StaleDataError:
        return False
    return export.ready_at is None


@job("Export what waits")
def export_waiting() -> None:
    """Write the exports whose job was lost because Redis was not reachable."""
    for export_id in db.session.scalars(select(DataExport.id).where(DataExport.ready_at.is_(None))).all():
        export_data(export_id)


@job("Purge data exports")
def purge_exports() -> None:
    """Delete exports that are no longer offered, of a user's own data and of lists of users."""
    delete_rows(DataExport, DataExport.is_over())
    too_old = utc_now() - current_app.config["DATA_EXPORT_LIFETIME"]
    delete_stored_files((StoredFile.kind == BulkTask.FILE) & (StoredFile.created_at < too_old))
    db.session.commit()


@job("Make a picture")
def make_picture(upload_id: int) -> None:
    """Make an uploaded picture into small ones, or note for its owner why it is refused."""
    pictures.make_picture(upload_id)


@job("Make pictures that wait")
def make_waiting_pictures() -> None:
    """Enqueue again the uploads whose job was lost with Redis, or failed while the storage did not respond."""
    for upload_id in pictures.waiting_uploads():
        make_picture.enqueue(upload_id)
    db.session.commit()


@job("Sweep unused files", timeout_seconds=3600)
def sweep_files() -> None:
    """Delete stored files that no row names, left behind by requests and jobs that failed."""
    sweep_unused_files()


@job("Purge audit log")
def purge_audit_log() -> None:
    """Delete audit events, and what was done to many users, older than AUDIT_RETENTION_DAYS; 0 keeps them."""
    days = current_app.config["AUDIT_RETENTION_DAYS"]
    if days:
        delete_rows(AuditEvent, AuditEvent.created_at < days_ago(days))
        delete_rows(BulkTask, BulkTask.created_at < days_ago(days))


@job("Count figures", timeout_seconds=900)
def count_figures() -> None:
    """Count what the dashboard shows."""
    figures.store()
    db.session.commit()


@job("Back up", timeout_seconds=3600)
def back_up() -> None:
    """Write a backup to BACKUP_DIR, if it is set."""
    if current_app.config["BACKUP_DIR"]:
        backups.back_up_for_the_night()


def days_ago(days: int) -> datetime:
    """Return the time ``days`` before now."""
    return utc_now() - timedelta(days=days)


def delete_rows(model: type[Model], condition: ColumnElement[bool]) -> None:
    """Delete the rows that meet ``condition``, and commit after each batch."""
    key = model.__table__.c.id
    delete_in_batches(
        model,
        condition,
        lambda ids: db.session.execute(delete(model).where(key.in_(ids), condition), execution_options=PLAIN),
    )


def delete_in_batches(
    model: type[Model],
    condition: ColumnElement[bool],
    delete_some: Callable[[Sequence[int]], object],
    first: int = batches.FIRST,
) -> None:
    """Call ``delete_some`` with the ids of rows that meet ``condition``, and commit, until none are left."""
    found, size = select(model.__table__.c.id).where(condition), BatchSize(first)
    # Looked for before the DELETE, which would hold its lock while it looks. A row may have changed since.
    while ids := db.session.scalars(found.limit(size.rows)).all():
        with size.timed():
            delete_some(ids)
            db.session.commit()
    db.session.commit()


# Minute, hour, day, month, weekday, in UTC. Off the full hour, when other sites run their jobs.
schedule = Schedule(
    ScheduledJob,
    [
        Entry(purge_emails, "17 3 * * *"),
        Entry(purge_recipient_limits, "57 * * * *"),
        Entry(purge_sessions, "27 * * * *"),
        Entry(purge_unconfirmed_accounts, "37 3 * * *"),
        Entry(purge_former_addresses, "57 3 * * *"),
        Entry(export_waiting, "*/5 * * * *"),
        Entry(purge_exports, "7 * * * *"),
        Entry(make_waiting_pictures, "*/5 * * * *"),
        Entry(sweep_files, "41 4 * * *"),
        Entry(purge_audit_log, "47 3 * * *"),
        Entry(count_figures, "4-59/10 * * * *"),
        Entry(back_up, "7 2 * * *"),
    ],
)
