"""Audit events and emails for the measurements of the administration, written by the database itself.

Ten million rows from Python would take an hour. Their indexes are created afterwards, which takes a third of the time.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from sqlalchemy import Table

DAYS_BACK = 400
NUMBERS = {
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT {{}} FROM s",
    "postgresql": "SELECT {{}} FROM generate_series(1, {count}) AS s(n)",
}
MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', julianday('now') - {days} + {days}.0 * n / {count}) || '000'",
    "postgresql": "now() - interval '{days} days' + n * (interval '{days} days' / {count})",
}
# Nine of ten are logins, as on a site that is used.
EVENTS = {
    "event": "CASE WHEN n % 10 = 0 THEN 'user.profile_changed' ELSE 'user.logged_in' END",
    "subject_id": "1 + (n * CAST(7919 AS bigint)) % {users}",
    "details": "'{{}}'",
    "ip_address": "'10.0.' || (n % 250) || '.' || (n % 241)",
}
EMAILS = {
    "recipient": "'user' || (n % {users}) || '@example.com'",
    "user_id": "1 + (n * CAST(104729 AS bigint)) % {users}",
    "kind": "'confirm'",
    "subject": "'Confirm your email address'",
    "template": "'account/email/confirm'",
    "context": "'{{}}'",
    "priority": "20",
    "attempts": "1",
    "last_error": "''",
    "due_at": "{moment}",
    "state": "CASE WHEN n % 100 = 1 THEN 'dead' WHEN n % 100 = 2 THEN 'canceled' WHEN n % 1000 = 3 THEN 'pending'"
    " ELSE 'sent' END",
}


def add_rows(connection: Connection, count: int, users: int) -> None:
    """Add ``count`` audit events and as many emails about users with the ids 1 to ``users``. The caller commits."""
    from app.models import AuditEvent, Email

    if connection.dialect.name == "postgresql":
        # It would look for the user of each row, one by one. Only a superuser may do without.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    for model, columns in ((AuditEvent, EVENTS), (Email, EMAILS)):
        indexes = list(model.__table__.indexes)
        for index in indexes:
            index.drop(connection)
        _insert(connection, model.__table__, columns, count, users)
        for index in indexes:
            index.create(connection)


def _insert(connection: Connection, table: "Table", columns: dict[str, str], count: int, users: int) -> None:
    kind = connection.dialect.name
    moment = MOMENT[kind].format(days=DAYS_BACK, count=count)
    values = ", ".join(value.format(users=users, moment=moment) for value in [*columns.values(), "{moment}"])
    numbers = NUMBERS[kind].format(count=count).format(values)
    connection.execute(text(f"INSERT INTO {table.name} ({', '.join([*columns, 'created_at'])}) {numbers}"))
