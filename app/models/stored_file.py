"""Files that people uploaded, or that the application made for them: the rows. The files are in the store."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import IO

from flask import current_app
from sqlalchemy import ColumnElement, Connection, ForeignKey, Select, String, delete, event, select
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model, db
from app.kit.db.after_commit import after_commit
from app.kit.db.database import PLAIN, UTCDateTime, utc_now
from app.kit.storage.store import StorageError, current_store, new_key
from app.models.user import User

log = logging.getLogger(__name__)

ORIGINAL = "original"
KEYS_PER_QUERY = 500


class StoredFile(Model):
    """The files below one key of the store, which belong to one user.

    Write the file first, then add the row: a file without a row is swept a day later. Deleting the row, in whichever
    way, deletes the files once the transaction has committed.
    """

    __tablename__ = "stored_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True, default=new_key)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # What it is for, such as "picture".
    kind: Mapped[str] = mapped_column(String(32), index=True)
    # Why a job refused the file, in words for its owner.
    problem: Mapped[str] = mapped_column(String(255), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)

    @classmethod
    def of(cls, user: User, kind: str) -> Select["StoredFile"]:
        """Return a query for the user's files of this kind, newest first."""
        return select(cls).where(cls.user_id == user.id, cls.kind == kind).order_by(cls.id.desc())

    def pieces(self, name: str = ORIGINAL) -> Iterator[bytes]:
        """Return one of its files. Raises :class:`StorageError` if it cannot be read."""
        return current_store().read(f"{self.key}/{name}")


def store_file(user: User, kind: str, content: IO[bytes]) -> StoredFile:
    """Store an uploaded file, and return its row, which has its id. The caller commits.

    Raises :class:`StorageError` if it cannot be stored.
    """
    file = StoredFile(key=new_key(), user_id=user.id, kind=kind)
    current_store().write(f"{file.key}/{ORIGINAL}", content)
    db.session.add(file)
    db.session.flush()
    return file


@event.listens_for(StoredFile, "after_delete")
def _delete_its_files(_mapper: object, _connection: Connection, file: StoredFile) -> None:
    discard_after_commit([file.key])


def delete_stored_files(condition: ColumnElement[bool]) -> int:
    """Delete the rows that meet ``condition``, with their files, and return how many. The caller commits."""
    deleting = delete(StoredFile).where(condition).returning(StoredFile.key)
    keys = db.session.scalars(deleting, execution_options=PLAIN).all()
    discard_after_commit(keys)
    return len(keys)


def discard_after_commit(keys: Sequence[str]) -> None:
    """Delete the files of ``keys`` when the transaction commits; those that cannot be deleted then are swept later."""
    if keys:
        after_commit(db.session(), partial(_discard, keys))


def _discard(keys: Sequence[str]) -> None:
    try:
        for key in keys:
            current_store().delete(key)
    except StorageError as error:
        log.warning("files are not deleted yet, the sweep will: %s", error)


def sweep_unused_files() -> None:
    """Delete the files that no row names, once they are older than UNUSED_FILE_LIFETIME."""
    store = current_store()
    keys = store.keys_older_than(utc_now() - current_app.config["UNUSED_FILE_LIFETIME"])
    while batch := list(islice(keys, KEYS_PER_QUERY)):
        used = set(db.session.scalars(select(StoredFile.key).where(StoredFile.key.in_(batch))))
        for key in set(batch) - used:
            store.delete(key)
