"""The outbox: the state of every email, but never its text or its links, which still work."""

from flask import flash, redirect, render_template, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.access import access
from app.admin.blueprint import admin
from app.extensions import db
from app.jobs import deliver_email
from app.kit.auth.sudo import sudo_required
from app.kit.mail.rows import EmailState
from app.kit.pages.table import Table
from app.models import AuditEvent, Email, Permission, ids_of_people

TONES = {
    EmailState.PENDING: "info",
    EmailState.SENDING: "info",
    EmailState.SENT: "success",
    EmailState.DEAD: "danger",
    EmailState.CANCELED: "neutral",
}
STATE_CHOICES = [(state.value, state.value) for state in EmailState]


@admin.get("/emails")
@access(Permission.MANAGE_EMAILS)
def emails() -> str:
    """List the outbox, newest first."""
    table = Table.from_request(
        select(Email),
        columns={"created": Email.created_at},
        search=lambda words: Email.user_id.in_(ids_of_people(words)) | (Email.recipient == words.lower()),
        filters={"state": {state.value: Email.state == state for state in EmailState}},
        sort="-created",
    )
    return render_template(
        "admin/emails.html", table=table, states=EmailState, tones=TONES, state_choices=STATE_CHOICES
    )


@admin.post("/emails/<int:email_id>/retry")
@access(Permission.MANAGE_EMAILS)
@sudo_required
def retry_email(email_id: int) -> Response:
    """Send a failed, canceled or waiting email as soon as possible."""
    if Email.retry(email_id):
        deliver_email.enqueue(email_id)
        AuditEvent.record("email.retried", email_id=email_id)
        return _changed("The email is sent again within seconds.")
    return _not_changed(email_id, "The email is already sent, or is being sent.")


@admin.post("/emails/<int:email_id>/cancel")
@access(Permission.MANAGE_EMAILS)
@sudo_required
def cancel_email(email_id: int) -> Response:
    """Cancel a waiting email. This needs the password: the email may be the one that warns of an intruder."""
    if Email.cancel(email_id):
        AuditEvent.record("email.canceled", email_id=email_id)
        return _changed("The email will not be sent.")
    return _not_changed(email_id, "The email is no longer waiting, so it cannot be canceled.")


def _changed(done: str) -> Response:
    db.session.commit()
    flash(done, "success")
    return redirect(url_for("admin.emails"))


def _not_changed(email_id: int, reason: str) -> Response:
    db.get_or_404(Email, email_id)
    flash(reason, "warning")
    return redirect(url_for("admin.emails"))
