"""Queues, running and failed jobs, workers, and the schedule.

rq-dashboard is no alternative: it has inline scripts and styles, which the CSP forbids, shows job
arguments, and does not know the layout, the schedule or the audit log.
"""

from collections.abc import Callable

from flask import abort, flash, redirect, render_template, url_for
from redis import RedisError
from rq.job import Job
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.access import access
from app.admin.blueprint import admin
from app.extensions import db
from app.jobs import schedule
from app.kit.auth.sudo import sudo_required
from app.kit.jobs import queue_overview
from app.models import AuditEvent, Permission, ScheduledJob


@admin.get("/jobs")
@access(Permission.MANAGE_JOBS)
def jobs() -> str:
    """Show queues, jobs, workers and the schedule; only the schedule while Redis is not reachable."""
    rows = {row.name: row for row in db.session.scalars(select(ScheduledJob))}
    return render_template(
        "admin/jobs.html",
        overview=queue_overview.overview(),
        schedule=[(entry, rows.get(entry.name)) for entry in schedule.entries],
    )


@admin.post("/jobs/<job_id>/retry")
@access(Permission.MANAGE_JOBS)
@sudo_required
def retry_job(job_id: str) -> Response:
    """Run a failed job again."""
    return _change(job_id, Job.requeue, "job.retried", "The job is back in its queue.")


@admin.post("/jobs/<job_id>/discard")
@access(Permission.MANAGE_JOBS)
@sudo_required
def discard_job(job_id: str) -> Response:
    """Delete a failed job."""
    return _change(job_id, Job.delete, "job.discarded", "The job is discarded.")


def _change(job_id: str, change: Callable[[Job], object], event: str, message: str) -> Response:
    try:
        change(queue_overview.failed_job(job_id) or abort(404))
    except RedisError:
        flash("The queue is not reachable. Try again later.", "error")
        return redirect(url_for("admin.jobs"))
    AuditEvent.record(event, job_id=job_id)
    db.session.commit()
    flash(message, "success")
    return redirect(url_for("admin.jobs"))
