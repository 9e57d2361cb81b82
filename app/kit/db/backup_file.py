"""Backups: a zip file with all rows of the database and all stored files, the same for SQLite and PostgreSQL.

A table is a file of JSON lines, read in one snapshot while the site runs. Tables are reflected from the database and
not taken from the models, so that a backup can be made before new code migrates, and restored into an older schema.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from click import ClickException
from sqlalchemy import JSON, Column, Connection, Engine, Table, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from app.kit.core.counting import how_many
from app.kit.db.backup_schema import (
    last_ids,
    reflected_tables,
    revisions_of,
    set_last_ids,
    snapshot,
    without_foreign_keys,
)

FORMAT = 1
ROWS_AT_ONCE = 1000
MANIFEST = "manifest.json"
Progress = Callable[[str], None]


class BackupError(ClickException):
    """The backup cannot be made or restored. The message says why and what to do; a command ends with it."""


class StoredFiles(Protocol):
    """Files of the site outside of the database, such as uploads."""

    def paths(self) -> Iterator[str]:
        """Return the paths of all files."""

    def read(self, path: str) -> Iterator[bytes]:
        """Return a file in pieces. Raises LookupError at once if it was deleted meanwhile."""

    def write(self, path: str, content: IO[bytes]) -> None:
        """Store a file."""


def write_backup(engine: Engine, target: Path, files: StoredFiles | None, progress: Progress) -> None:
    """Write everything to the new file ``target``, read it again, and only then give it its name."""
    if target.exists():
        raise BackupError(f"{target} exists already. Name a new file.")
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        # A backup contains addresses and hashes of passwords: nobody else may ever read it.
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as stream, ZipFile(stream, "w", ZIP_DEFLATED) as archive:
            _write_contents(archive, engine, files, progress)
        verify(unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_contents(archive: ZipFile, engine: Engine, files: StoredFiles | None, progress: Progress) -> None:
    with snapshot(engine) as connection:
        revisions = revisions_of(connection)
        if not revisions:
            raise BackupError("The database has no tables yet. Run: manage.py release")
        tables = reflected_tables(connection)
        counts = {table.name: _write_table(archive, connection, table, progress) for table in tables}
        ids = last_ids(connection, tables)
    count = 0 if files is None else sum(_write_file(archive, path, files) for path in files.paths())
    manifest = {"format": FORMAT, "revisions": revisions, "rows": counts, "last_ids": ids, "files": count}
    archive.writestr(MANIFEST, json.dumps({**manifest, "made_at": datetime.now(UTC).isoformat()}, indent=1))
    progress(how_many(count, "file"))


def _write_file(archive: ZipFile, path: str, files: StoredFiles) -> bool:
    try:
        pieces = files.read(path)
    except LookupError:
        return False
    with archive.open(f"files/{path}", "w", force_zip64=True) as file:
        for piece in pieces:
            file.write(piece)
    return True


def _write_table(archive: ZipFile, connection: Connection, table: Table, progress: Progress) -> int:
    columns = [column for column in table.columns if column.computed is None]
    with archive.open(_file_of(table.name), "w", force_zip64=True) as file:
        file.write(_line([column.name for column in columns]))
        count = 0
        query = select(*columns).order_by(*table.primary_key).execution_options(yield_per=ROWS_AT_ONCE)
        with connection.execute(query) as rows:
            for batch in rows.partitions():
                file.write(b"".join(_line(list(row)) for row in batch))
                count += len(batch)
                progress(f"{table.name}: {how_many(count, 'row')}")
    return count


def _file_of(table_name: str) -> str:
    return f"tables/{table_name}.jsonl"


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, default=_as_json).encode() + b"\n"


def _as_json(value: object) -> str | float:
    match value:
        case date() | time():  # a datetime is a date
            return value.isoformat()
        case bytes() | memoryview():
            return b64encode(value).decode()
        case Decimal():
            return str(value)
        case UUID():
            return value.hex
        case timedelta():
            return value.total_seconds()
    raise BackupError(f"A backup cannot contain values of the type {type(value).__name__} yet: add it to {__name__}.")


def verify(file: Path) -> dict[str, Any]:
    """Read the whole backup, and return its manifest. Raises :class:`BackupError` if anything is missing or damaged."""
    try:
        with ZipFile(file) as archive:
            damaged = archive.testzip()
            manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
            if manifest["format"] > FORMAT:
                raise BackupError(f"{file} was written by a newer release. Restore it with that release.")
            counts = {name: sum(1 for _ in _lines(archive, name)) - 1 for name in manifest["rows"]}
            count = sum(name.startswith("files/") for name in archive.namelist())
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise BackupError(f"{file} is no backup, or damaged: {error}") from error
    if damaged or counts != manifest["rows"] or count != manifest["files"]:
        raise BackupError(f"{file} is damaged: {damaged or 'rows or files are missing'}.")
    return manifest


def _lines(archive: ZipFile, table_name: str) -> IO[bytes]:
    return archive.open(_file_of(table_name))


def load_backup(engine: Engine, file: Path, files: StoredFiles | None, progress: Progress) -> None:
    """Load a verified backup into the tables of its schema, in one transaction, after the stored files."""
    with ZipFile(file) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        for name in archive.namelist():
            if files is not None and name.startswith("files/"):
                with archive.open(name) as content:
                    files.write(name.removeprefix("files/"), content)
        progress(f"{manifest['files']} files")
        try:
            with engine.connect() as connection, without_foreign_keys(connection) as tables:
                _load_tables(archive, connection, tables, manifest, progress)
        except (SQLAlchemyError, KeyError, ValueError) as error:
            what = f"{type(error).__name__}: {getattr(error, 'orig', error)}".partition("\n")[0]
            raise BackupError(f"The backup does not fit the database, and no row was restored. {what}") from error


def _load_tables(
    archive: ZipFile, connection: Connection, tables: list[Table], manifest: dict[str, Any], progress: Progress
) -> None:
    missing = sorted(manifest["rows"].keys() - {table.name for table in tables})
    if missing:
        raise BackupError(f"The database has no table for: {', '.join(missing)}.")
    for table in tables:
        # A migration may have inserted rows, which are in the backup too.
        connection.execute(table.delete())
    for table in tables:
        if table.name in manifest["rows"]:
            _load_table(archive, connection, table, manifest["rows"][table.name], progress)
    set_last_ids(connection, tables, manifest["last_ids"])


def _load_table(archive: ZipFile, connection: Connection, table: Table, expected: int, progress: Progress) -> None:
    with _lines(archive, table.name) as lines:
        columns = [table.columns[name] for name in json.loads(next(lines))]
        for column in columns:
            if isinstance(column.type, JSON):
                # Otherwise a missing value would become JSON's null.
                column.type.none_as_null = bool(column.nullable)
        while batch := list(islice(lines, ROWS_AT_ONCE)):
            connection.execute(insert(table), [_row(columns, line) for line in batch])
    count = connection.scalar(select(func.count()).select_from(table)) or 0
    if count != expected:
        raise BackupError(
            f"The table {table.name} got {how_many(count, 'row')} instead of {expected}. Nothing was restored."
        )
    progress(f"{table.name}: {how_many(count, 'row')}")


def _row(columns: list[Column[Any]], line: bytes) -> dict[str, Any]:
    return {column.name: _value(column, value) for column, value in zip(columns, json.loads(line), strict=True)}


READERS: dict[type, Callable[[Any], Any]] = {
    date: date.fromisoformat,
    time: time.fromisoformat,
    bytes: b64decode,
    Decimal: Decimal,
    UUID: UUID,
    timedelta: lambda seconds: timedelta(seconds=seconds),
    bool: bool,
}


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return value
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        # SQLite keeps no time zone: its times are UTC.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return moment if getattr(column.type, "timezone", False) else moment.replace(tzinfo=None)
    return READERS[kind](value) if kind in READERS else value
