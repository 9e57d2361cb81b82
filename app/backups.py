"""Backups of the site: by `manage.py backup`, every night if BACKUP_DIR is set, and back again.

kit/db/backup_file.py says what is in one.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import current_app
from sqlalchemy import func, select

from app import setup
from app.extensions import db
from app.kit.core.counting import how_many
from app.kit.db import migrations
from app.kit.db.backup_file import BackupError, Progress, load_backup, verify, write_backup
from app.kit.db.backup_schema import reflected_tables
from app.kit.db.database import utc_now
from app.kit.db.exclusive import one_at_a_time
from app.models import Role

NAME = re.compile(r"backup-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.zip")
# What `manage.py release` and a worker write into an empty database.
FILLED_BY_THEMSELVES = {"roles", "scheduled_jobs"}


def back_up(target: Path, progress: Progress) -> None:
    """Write the rows of the database, and the stored files, to the new file ``target``."""
    write_backup(db.engine, target, current_app.extensions.get("storage"), progress)


def back_up_for_the_night() -> None:
    """Write a backup into the folder or bucket BACKUP_DIR, and delete all but the newest BACKUP_KEEP of them."""
    target, name = current_app.config["BACKUP_DIR"], f"backup-{utc_now():%Y-%m-%dT%H-%M-%S}.zip"
    if "://" in target:
        _back_up_to_bucket(target, name)
        return
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    back_up(folder / name, lambda _line: None)
    for old in _too_old(path.name for path in folder.iterdir()):
        (folder / old).unlink()


def _back_up_to_bucket(url: str, name: str) -> None:
    # Imported here: an optional package (requirements/storage.txt). It reads the variables AWS_…
    from obstore.store import from_url

    bucket = from_url(url)
    with TemporaryDirectory() as folder:
        back_up(Path(folder, name), lambda _line: None)
        bucket.put(name, Path(folder, name))
    for old in _too_old(file["path"] for files in bucket.list() for file in files):
        bucket.delete(old)


def _too_old(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if NAME.fullmatch(name))[: -current_app.config["BACKUP_KEEP"]]


def restore(file: Path, progress: Progress) -> None:
    """Fill the empty database from a backup, and migrate it to the schema of this code.

    Raises :class:`BackupError` if the file is damaged or newer than this code, or the database is not empty.
    """
    revisions = verify(file)["revisions"]
    if set(revisions) - migrations.known_revisions():
        raise BackupError("The backup has a newer schema than this code. Restore it with the release that made it.")
    with one_at_a_time(db.engine, "release"):
        _refuse_to_overwrite()
        setup.drop_tables()
        for revision in revisions:
            migrations.upgrade(revision)
        load_backup(db.engine, file, current_app.extensions.get("storage"), progress)
        migrations.upgrade()
        Role.insert_roles()


def _refuse_to_overwrite() -> None:
    with db.engine.connect() as connection:
        for table in reflected_tables(connection):
            count = connection.scalar(select(func.count()).select_from(table))
            if count and table.name not in FILLED_BY_THEMSELVES:
                found = f"its table {table.name} has {how_many(count, 'row')}"
                raise BackupError(f"The database is not empty: {found}. Restore into a new database.")
