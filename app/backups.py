"""Backups of the site: by `manage.py backup`, every night if BACKUP_DIR is set, and back again."""

from pathlib import Path

from flask import current_app
from sqlalchemy import func, select

from app import setup
from app.extensions import db
from app.kit.db import migrations
from app.kit.db.backup import BackupError, Progress, load_backup, verify, write_backup
from app.kit.db.backup_schema import reflected_tables
from app.kit.db.database import utc_now
from app.kit.db.exclusive import one_at_a_time
from app.models import Role

# What `manage.py release` and a worker write into an empty database.
FILLED_BY_THEMSELVES = {"roles", "scheduled_jobs"}


def back_up(target: Path, progress: Progress) -> None:
    """Write the rows of the database, and the stored files, to the new file ``target``."""
    write_backup(db.engine, target, current_app.extensions.get("stored_files"), progress)


def back_up_for_the_night() -> None:
    """Write a backup into BACKUP_DIR, and delete all but the newest BACKUP_KEEP of them."""
    folder = Path(current_app.config["BACKUP_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    back_up(folder / f"backup-{utc_now():%Y-%m-%dT%H-%M-%S}.zip", lambda _line: None)
    for old in sorted(folder.glob("backup-????-??-??T??-??-??.zip"))[: -current_app.config["BACKUP_KEEP"]]:
        old.unlink()


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
        load_backup(db.engine, file, current_app.extensions.get("stored_files"), progress)
        migrations.upgrade()
        Role.insert_roles()


def _refuse_to_overwrite() -> None:
    with db.engine.connect() as connection:
        for table in reflected_tables(connection):
            count = connection.scalar(select(func.count()).select_from(table))
            if count and table.name not in FILLED_BY_THEMSELVES:
                raise BackupError(
                    f"The database is not empty: its table {table.name} has {count} rows. Restore into a new database."
                )
