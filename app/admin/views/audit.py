"""The audit log: what happened, when and from where."""

from datetime import UTC, datetime, timedelta

from flask import render_template
from flask_login import current_user
from sqlalchemy import ColumnElement

from app.access import access
from app.admin.blueprint import admin
from app.audit import labels
from app.kit.http.routing import row_id
from app.kit.pages.table import Table
from app.models import AuditEvent, Permission, ids_of_people


@admin.get("/audit")
@access(Permission.VIEW_AUDIT_LOG)
def audit() -> str:
    """List the audit events, newest first."""
    kinds = labels()
    table = Table.from_request(
        AuditEvent.with_people(),
        columns={"when": AuditEvent.created_at},
        search=lambda words: AuditEvent.about(ids_of_people(words), words),
        filters={
            "event": {kind: AuditEvent.event == kind for kind in kinds},
            "user": _about_user,
            "parent": _below,
            "from": _since,
            "until": _until,
        },
        sort="-when",
    )
    return render_template("admin/audit.html", table=table, event_choices=kinds.items())


def _about_user(user_id: str) -> ColumnElement[bool] | None:
    found = row_id(user_id)
    return None if found is None else AuditEvent.about([found])


def _below(event_id: str) -> ColumnElement[bool] | None:
    """Return the condition of the events that belong to another one, such as a change of many users."""
    found = row_id(event_id)
    return None if found is None else AuditEvent.parent_id == found


def _since(day: str) -> ColumnElement[bool] | None:
    moment = _start_of(day)
    return None if moment is None else AuditEvent.created_at >= moment


def _until(day: str) -> ColumnElement[bool] | None:
    """Return the condition of events before the end of ``day``, or None for an invalid date."""
    moment = _start_of(day, days_later=1)
    return None if moment is None else AuditEvent.created_at < moment


def _start_of(day: str, days_later: int = 0) -> datetime | None:
    """Return the start of a day in the reader's time zone, or None unless ``day`` is a date like 2026-11-21."""
    try:
        local = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=current_user.zone) + timedelta(days=days_later)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
