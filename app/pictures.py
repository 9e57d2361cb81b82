"""The pictures of users: taken from a form, made by a worker, shown under an address that nobody can guess.

Each user has at most two rows: the picture that is shown (its key is ``User.picture_key``), and an upload that waits to
be made into one, or that was refused.
"""

import base64
import logging
from collections.abc import Iterator
from io import BytesIO
from typing import IO

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from app.extensions import db
from app.kit.db.database import lock_row
from app.kit.storage.pictures import UnreadablePictureError, small_pictures
from app.kit.storage.store import FileMissingError, current_store, new_key
from app.models import StoredFile, User, delete_stored_files
from app.models.stored_file import ORIGINAL, discard_after_commit, store_file

log = logging.getLogger(__name__)

SIZES = (256, 64)
PICTURE, UPLOAD = "picture", "picture upload"
UNREADABLE = "the file is damaged or unusual. Save it as PNG or JPEG with another program, and upload that."
LOST = "the file was lost on our side. Please upload it again."


def upload_picture(user: User, file: IO[bytes]) -> StoredFile:
    """Store an upload in the place of the one before, and return its row. The caller enqueues its job and commits.

    Raises :class:`StorageError` if it cannot be stored.
    """
    upload = store_file(user, UPLOAD, file)
    lock_row(db.session, user)
    delete_stored_files((StoredFile.user_id == user.id) & (StoredFile.kind == UPLOAD) & (StoredFile.id != upload.id))
    return upload


def remove_picture(user: User) -> None:
    """Delete the user's picture, and the upload that waits. The caller commits."""
    lock_row(db.session, user)
    user.picture_key = None
    _delete(user, UPLOAD)
    _delete(user, PICTURE)


def upload_of(user: User) -> StoredFile | None:
    """Return the user's upload that waits or was refused, or None."""
    return db.session.scalar(StoredFile.of(user, UPLOAD))


def waiting_uploads() -> list[int]:
    """Return the ids of all uploads that wait."""
    waiting = select(StoredFile.id).where(StoredFile.kind == UPLOAD, StoredFile.problem == "")
    return list(db.session.scalars(waiting))


def make_picture(upload_id: int) -> None:
    """Make an upload into the user's picture, or note why not; do nothing if that is done, or it was removed.

    Commits. Raises :class:`StorageError` while the storage does not respond; the upload then waits.
    """
    upload = db.session.get(StoredFile, upload_id)
    if upload is None or upload.problem:
        return
    key, user_id = upload.key, upload.user_id
    db.session.commit()  # the database need not wait for the picture
    _finish(upload_id, _made_of(key, user_id))


def _made_of(key: str, user_id: int) -> StoredFile:
    """Return a new row, not saved yet: the picture with its files, or the reason why there is none."""
    store = current_store()
    try:
        original = b"".join(store.read(f"{key}/{ORIGINAL}"))
        small = small_pictures(original, current_app.config["PICTURE_MAX_PIXELS"], SIZES)
    except UnreadablePictureError as error:
        log.info("picture refused: %s", error)
        return StoredFile(key=new_key(), user_id=user_id, kind=UPLOAD, problem=UNREADABLE)
    except FileMissingError:
        log.error("an upload is missing: do the web server and the worker use the same UPLOADS_FOLDER?")
        return StoredFile(key=new_key(), user_id=user_id, kind=UPLOAD, problem=LOST)
    picture = StoredFile(key=new_key(), user_id=user_id, kind=PICTURE)
    for size, content in small.items():
        store.write(f"{picture.key}/{size}", BytesIO(content))
    return picture


def _finish(upload_id: int, result: StoredFile) -> None:
    """Put ``result`` in the place of the upload, unless that was replaced or removed meanwhile. Commits."""
    user = _locked_user(result.user_id)
    if user is None or not delete_stored_files(StoredFile.id == upload_id):
        db.session.rollback()
        discard_after_commit([result.key])
        return
    if result.kind == PICTURE:
        _delete(user, PICTURE)
        user.picture_key = result.key
    db.session.add(result)
    db.session.commit()


def _locked_user(user_id: int) -> User | None:
    user = db.session.get(User, user_id)
    try:
        if user is not None:
            lock_row(db.session, user)
    except StaleDataError:
        return None
    return user


def _delete(user: User, kind: str) -> None:
    delete_stored_files((StoredFile.user_id == user.id) & (StoredFile.kind == kind))


def picture_pieces(key: str, size: int) -> Iterator[bytes] | None:
    """Return the WebP file of a picture that is shown, in pieces, or None if there is none of this key and size.

    Raises :class:`StorageError` if it cannot be read.
    """
    is_shown = select(StoredFile.id).where(StoredFile.key == key, StoredFile.kind == PICTURE)
    if size not in SIZES or db.session.scalar(is_shown) is None:
        return None
    return current_store().read(f"{key}/{size}")


def export_picture(user: User) -> dict[str, str | None]:
    """Return the user's picture, as a URL that holds the whole file, for the copy that users may take of their data."""
    pieces = picture_pieces(user.picture_key, SIZES[0]) if user.picture_key else None
    encoded = base64.b64encode(b"".join(pieces)).decode() if pieces else None
    return {"picture": f"data:image/webp;base64,{encoded}" if encoded else None}
