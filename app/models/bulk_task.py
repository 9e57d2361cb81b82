"""What an administrator does to many users at once: a change, or an export of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, Select, String, literal_column, or_, select, true, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import PLAIN, UTCDateTime, changed_rows, utc_now
from app.models.stored_file import StoredFile
from app.models.user import User
from app.models.user_lists import users_chosen

RUNNING, DONE, CANCELED, STOPPED, FAILED = "", "done", "called off", "stopped", "failed"


class BulkTask(Model):
    """One task. A job does it in the order of the users' ids, and this row says how far it is.

    The queue only wakes the worker: a job that is lost, killed or run twice continues here.
    """

    __tablename__ = "bulk_tasks"
    # The kind of its stored file.
    FILE = "list of users"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    action: Mapped[str] = mapped_column(String(32))
    # Which users (users_chosen), and what the action needs: a reason or a role.
    chosen: Mapped[dict[str, Any]] = mapped_column(JSON)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    # What the administrator was shown. Users who joined since, and more than so many, are left alone.
    total: Mapped[int]
    last_user_id: Mapped[int]
    # The last user whose turn is over, how many that were, and how many of them were left out.
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    left_out: Mapped[int] = mapped_column(default=0, server_default="0")
    outcome: Mapped[str] = mapped_column(String(16), default=RUNNING, server_default=RUNNING)
    # The audit event above those of the users. It may be purged first.
    event_id: Mapped[int]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)
    moved_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)

    user: Mapped[User] = relationship()
    file: Mapped[StoredFile | None] = relationship()

    @classmethod
    def visible_to(cls, user: User) -> Select["BulkTask"]:
        """Return a query of all changes, and of the user's own exports."""
        return select(cls).where(or_(cls.action != "export", cls.user_id == user.id))

    @classmethod
    def interrupted(cls) -> list["BulkTask"]:
        """Return the tasks that have not ended, and on which nobody works."""
        resting = cls.moved_at < utc_now() - current_app.config["BULK_TASK_REST"]
        return list(db.session.scalars(select(cls).where(cls.outcome == RUNNING, resting)))

    @property
    def is_running(self) -> bool:
        """Whether the task has not ended."""
        return self.outcome == RUNNING

    @property
    def is_offered(self) -> bool:
        """Whether the file of an export can still be downloaded."""
        return self.file is not None and self.file.created_at > utc_now() - current_app.config["DATA_EXPORT_LIFETIME"]

    def following(self, place: int) -> ColumnElement[bool]:
        """Return the condition of the users whose turn comes after that of ``place``."""
        return users_chosen(self.chosen) & (User.id > place) & (User.id <= self.last_user_id)

    def move(self, place: int, to: int, done: int = 1) -> bool:
        """Note that it is the turn of the user ``to``, after ``place``. The caller commits.

        Returns False if the task was canceled, or another worker goes on with it.
        """
        values = {"position": to, "done": BulkTask.done + done, "moved_at": utc_now()}
        return self._update(BulkTask.position == place, values)

    def finish(self, outcome: str) -> bool:
        """End the task; return False if it has ended already. The caller commits."""
        return self._update(true(), {"outcome": outcome, "moved_at": utc_now()})

    def _update(self, condition: ColumnElement[bool], values: Mapping[str, Any]) -> bool:
        still = (BulkTask.id == self.id, BulkTask.outcome == RUNNING, condition)
        updating = update(BulkTask).where(*still).values(values)
        return changed_rows(db.session.execute(updating, execution_options=PLAIN)) == 1


# One at a time of each kind: a second click does not start the same thing twice.
Index(
    "ix_bulk_tasks_running",
    BulkTask.user_id,
    BulkTask.action,
    unique=True,
    sqlite_where=BulkTask.outcome == literal_column("''"),
    postgresql_where=BulkTask.outcome == literal_column("''"),
)
