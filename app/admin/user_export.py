"""The list of users as a file for a spreadsheet, written by a job."""

import logging
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import IO

from sqlalchemy import select

from app.admin.bulk_tasks import still_running
from app.email import users_exported
from app.extensions import db
from app.kit.pages.spreadsheet import write_rows
from app.kit.storage.store import StorageError
from app.models import BulkTask, Role, User
from app.models.bulk_task import DONE, FAILED
from app.models.stored_file import store_file
from app.models.user_lists import user_state

log = logging.getLogger(__name__)

# In the memory of the job at once.
ROWS_PER_BATCH = 2000
COLUMNS = {
    "id": User.id,
    "first name": User.first_name,
    "last name": User.last_name,
    "email": User.email,
    "account type": Role.name,
    "state": user_state,
    "joined": User.created_at,
    "reason for disabling": User.disabled_reason,
}


def export_users(task_id: int) -> None:
    """Write the file of an export, and mail that it is ready. An export that was interrupted begins anew. Commits."""
    with TemporaryFile() as file:
        if not _write(task_id, file):
            return
        file.seek(0)
        task = db.session.get_one(BulkTask, task_id)
        try:
            task.file = store_file(task.user, BulkTask.FILE, file)
            outcome = DONE
        except StorageError as error:
            log.error("the export of users cannot be stored: %s", error)
            outcome = FAILED
        if not task.finish(outcome):
            db.session.rollback()  # canceled; the file is swept
            return
        if outcome == DONE:
            users_exported.send(task.user, task_id=task_id)
        db.session.commit()


def _write(task_id: int, file: IO[bytes]) -> bool:
    """Write all rows. Return False if the export was canceled, or another worker has begun anew."""
    task = still_running(task_id)
    if task is None or not task.move(task.position, 0, -task.done):
        return False
    db.session.commit()
    text = TextIOWrapper(file, "utf-8", newline="")
    write_rows(text, [list(COLUMNS)])
    place = done = 0
    while task := still_running(task_id):
        following = select(*COLUMNS.values()).outerjoin(User.role).where(task.following(place)).order_by(User.id)
        rows = db.session.execute(following.limit(min(ROWS_PER_BATCH, task.total - done))).all()
        if not rows:
            text.detach()
            return True
        write_rows(text, rows)
        if not task.move(place, rows[-1][0], len(rows)):
            db.session.rollback()
            return False
        # Between two batches no transaction is open, however long the list.
        db.session.commit()
        place, done = rows[-1][0], done + len(rows)
    return False
