"""The jobs of the admin area. See docs/administration.md."""

from app.admin.bulk_tasks import action_of, change_batch
from app.admin.user_export import export_users
from app.extensions import db
from app.factor_removals import finish_due
from app.kit.jobs.queue import job
from app.kit.jobs.schedule import Entry
from app.models import BulkTask


@job("Change many users", timeout_seconds=900)
def change_users(task_id: int) -> None:
    """Change the next 500 users, then let other jobs have their turn before the rest."""
    if change_batch(task_id):
        change_users.enqueue(task_id)
        db.session.commit()


@job("Export a list of users", timeout_seconds=3600)
def export_list(task_id: int) -> None:
    """Write the file of an export."""
    export_users(task_id)


@job("Continue what was interrupted")
def continue_bulk_tasks() -> None:
    """Enqueue again the tasks whose job was lost with Redis, or whose worker was killed."""
    for task in BulkTask.interrupted():
        enqueue(task)
    db.session.commit()


@job("Remove second factors")
def remove_second_factors() -> None:
    """Remove the second factors that administrators wanted to be removed a day ago, and nobody wanted to keep."""
    finish_due()


def enqueue(task: BulkTask) -> None:
    """Enqueue the job that does ``task``, or continues it."""
    is_export = action_of(task).change is None
    (export_list if is_export else change_users).enqueue(task.id)


schedule = [Entry(continue_bulk_tasks, "*/5 * * * *"), Entry(remove_second_factors, "3-59/10 * * * *")]
