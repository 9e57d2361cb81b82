"""Tests for backups: every row comes back, from and to each kind of database."""

import enum
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import IO
from zipfile import ZipFile

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Enum,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Time,
    Uuid,
    create_engine,
    event,
    insert,
    select,
    text,
)

from app.kit.db import backup_file
from app.kit.db.backup_file import BackupError, load_backup, verify, write_backup
from tests.servers import create_postgres_database

Color = enum.Enum("Color", "RED GREEN")
METADATA = MetaData()
# Two tables that refer to each other, with a column of each type.
PARENTS = Table(
    "parents",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("favorite_id", ForeignKey("children.id", name="fk_favorite", use_alter=True)),
    Column("order", Text, nullable=False),
    sqlite_autoincrement=True,
)
CHILDREN = Table(
    "children",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("parent_id", ForeignKey("parents.id", name="fk_parent", ondelete="CASCADE"), nullable=False),
    Column("flag", Boolean),
    Column("color", Enum(Color, native_enum=False)),
    Column("born", Date),
    Column("wakes", Time),
    Column("seen_at", DateTime(timezone=True)),
    Column("price", Numeric(10, 2)),
    Column("weight", Float),
    Column("picture", LargeBinary),
    Column("key", Uuid),
    Column("details", JSON),
    Column("twice", Integer),
    sqlite_autoincrement=True,
)
ROWS = [
    {
        "id": 1,
        "parent_id": 7,
        "flag": True,
        "color": Color.GREEN,
        "born": date(1815, 12, 10),
        "wakes": time(6, 30, 1),
        "seen_at": datetime(2026, 11, 21, 17, 0, 0, 123456, UTC),
        "price": Decimal("12.30"),
        "weight": 0.1,
        "picture": bytes(range(256)),
        "key": uuid.UUID(int=5),
        "details": {"$datetime": ["ä\n\"'", None, {"n": 1.5}]},
    },
    {"id": 2, "parent_id": 7, "flag": False, "details": []},
    {"id": 3, "parent_id": 7},
]


class Memory(dict[str, bytes]):
    """Stored files, in a dictionary. One of them is deleted before it is read."""

    def paths(self) -> Iterator[str]:
        return iter([*self, "deleted"])

    def read(self, path: str) -> Iterator[bytes]:
        return iter([self[path][:2], self[path][2:]])

    def write(self, path: str, content: IO[bytes]) -> None:
        self[path] = content.read()


def quiet(_line: str) -> None:
    pass


@pytest.fixture
def engines(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Engine]]:
    """Yield a filled database and two empty ones, of both kinds where there is a PostgreSQL."""
    # Three rows then take two rounds.
    monkeypatch.setattr(backup_file, "ROWS_AT_ONCE", 2)
    urls = [f"sqlite:///{tmp_path / name}.sqlite" for name in ("first", "second", "third")]
    if not database_url.startswith("postgres"):
        yield from prepared(urls)
        return
    with create_postgres_database(database_url) as first, create_postgres_database(database_url) as third:
        yield from prepared([first, urls[1], third])


def prepared(urls: list[str]) -> Iterator[list[Engine]]:
    engines = [create_engine(url) for url in urls]
    for engine in engines:
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA foreign_keys = ON"))
        METADATA.create_all(engine)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
            connection.execute(text("INSERT INTO alembic_version VALUES ('a')"))
    with engines[0].begin() as connection:
        connection.execute(insert(PARENTS), [{"id": 7, "order": "first"}, {"id": 9, "order": "gone"}])
        connection.execute(insert(CHILDREN), [{column.name: None for column in CHILDREN.columns} | row for row in ROWS])
        connection.execute(PARENTS.update().where(PARENTS.c.id == 7).values(favorite_id=2))
        if engines[0].dialect.name == "postgresql":
            connection.execute(text("SELECT setval('parents_id_seq', 9), setval('children_id_seq', 3)"))
        connection.execute(PARENTS.delete().where(PARENTS.c.id == 9))
    yield engines
    for engine in engines:
        engine.dispose()


def rows_of(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: [tuple(map(in_utc, row)) for row in connection.execute(select(table).order_by(table.c.id))]
            for table in METADATA.tables.values()
        }


def in_utc(value: object) -> object:
    """Return a time as SQLite keeps it."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value


def test_every_value_of_every_type_comes_back_from_and_to_each_database(engines: list[Engine], tmp_path: Path) -> None:
    """From one database to the next, and from there to the last: on PostgreSQL by way of SQLite."""
    files = Memory({"a/b.png": b"\x89PNG", "c": b""})
    for number, (source, target) in enumerate(pairwise(engines)):
        file, restored = tmp_path / f"{number}.zip", Memory()
        write_backup(source, file, files, quiet)
        load_backup(target, file, restored, quiet)
        assert rows_of(target) == rows_of(engines[0])
        assert restored == files
        assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("*.zip*")] == ["0.zip", "1.zip"] or len(
        list(tmp_path.glob("*.zip*"))
    ) == 2


def test_an_id_that_was_given_out_is_never_given_out_again(engines: list[Engine], tmp_path: Path) -> None:
    for number, (source, target) in enumerate(pairwise(engines)):
        write_backup(source, tmp_path / f"{number}.zip", None, quiet)
        load_backup(target, tmp_path / f"{number}.zip", None, quiet)
    with engines[-1].begin() as connection:
        assert connection.execute(insert(PARENTS).values(order="new")).inserted_primary_key == (10,)
        assert connection.execute(insert(CHILDREN).values(parent_id=7)).inserted_primary_key == (4,)


def test_a_backup_is_of_one_moment(engines: list[Engine], tmp_path: Path) -> None:
    def write_meanwhile(_line: str) -> None:
        with engines[0].begin() as connection:
            connection.execute(insert(PARENTS).values(order="later"))

    with engines[0].begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    write_backup(engines[0], tmp_path / "moment.zip", None, write_meanwhile)
    assert verify(tmp_path / "moment.zip")["rows"] == {"children": 3, "parents": 1}


def test_foreign_keys_hold_again_afterwards(engines: list[Engine], tmp_path: Path) -> None:
    write_backup(engines[0], tmp_path / "keys.zip", None, quiet)
    load_backup(engines[2], tmp_path / "keys.zip", None, quiet)
    with pytest.raises(Exception, match=r"(?i)foreign key"), engines[2].begin() as connection:
        connection.execute(insert(CHILDREN).values(parent_id=8))
    with engines[2].begin() as connection:
        connection.execute(PARENTS.update().values(favorite_id=None))
        connection.execute(PARENTS.delete())
        assert connection.execute(select(CHILDREN)).all() == [], "ON DELETE CASCADE"


def test_a_backup_that_lost_anything_is_refused_and_changes_nothing(engines: list[Engine], tmp_path: Path) -> None:
    good = tmp_path / "good.zip"
    write_backup(engines[0], good, Memory({"x": b"y"}), quiet)
    contents = {name: ZipFile(good).read(name) for name in ZipFile(good).namelist()}
    without_row = contents["tables/children.jsonl"].rsplit(b"\n", 2)[0] + b"\n"
    for name, damaged in {
        "row": {**contents, "tables/children.jsonl": without_row},
        "table": {key: value for key, value in contents.items() if "children" not in key},
        "file": {key: value for key, value in contents.items() if "files/" not in key},
        "manifest": {**contents, "manifest.json": b"{"},
        "format": {**contents, "manifest.json": json.dumps({"format": 99, "rows": {}, "files": 0}).encode()},
    }.items():
        file = tmp_path / f"{name}.zip"
        with ZipFile(file, "w") as archive:
            for key, value in damaged.items():
                archive.writestr(key, value)
        with pytest.raises(BackupError, match=r"damaged|newer"):
            verify(file)
    (tmp_path / "cut.zip").write_bytes(good.read_bytes()[:-100])
    with pytest.raises(BackupError, match="no backup, or damaged"):
        verify(tmp_path / "cut.zip")


def test_what_cannot_be_loaded_leaves_the_database_empty(engines: list[Engine], tmp_path: Path) -> None:
    write_backup(engines[0], tmp_path / "good.zip", None, quiet)
    with engines[2].begin() as connection:
        connection.execute(text('ALTER TABLE parents DROP COLUMN "order"'))
    with pytest.raises(BackupError, match=r"no row was restored. KeyError: 'order'"):
        load_backup(engines[2], tmp_path / "good.zip", None, quiet)
    with engines[2].connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM children")) == 0


def test_no_file_is_overwritten_and_nothing_half_written_is_left(engines: list[Engine], tmp_path: Path) -> None:
    (tmp_path / "taken.zip").write_text("mine")
    with pytest.raises(BackupError, match="exists already"):
        write_backup(engines[0], tmp_path / "taken.zip", None, quiet)

    def fail(_line: str) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_backup(engines[0], tmp_path / "new.zip", None, fail)
    assert [path.name for path in tmp_path.glob("*.zip*")] == ["taken.zip"]
