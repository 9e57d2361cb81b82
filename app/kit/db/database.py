"""What the database needs to know once: names of constraints, time in UTC, SQLite's settings, row locks."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import flask_sqlalchemy.model
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.model import DefaultMeta
from sqlalchemy import CursorResult, DateTime, Dialect, MetaData, Result, Table, TypeDecorator, event, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, configure_mappers, object_mapper, registry, scoped_session
from sqlalchemy.orm.exc import StaleDataError

# Without names of our own, SQLite's constraints have none and no migration can ever drop one.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite hands a deleted row's id to the next one: an old link or session would fit a new user.
NEVER_REUSE_IDS = {"sqlite_autoincrement": True}

DatabaseSession = Session | scoped_session[Any]


class Model(flask_sqlalchemy.model.Model, metaclass=DefaultMeta):
    """The parent of every model; ``db.Model`` is this very class.

    A model derives from ``Model``: Flask-SQLAlchemy sets ``db.Model`` at run time, where mypy cannot see it.
    """

    __abstract__ = True
    registry = registry(metadata=MetaData(naming_convention=NAMING_CONVENTION))
    metadata = registry.metadata
    __table__: ClassVar[Table]
    __table_args__: ClassVar[tuple[object, ...] | dict[str, bool]] = NEVER_REUSE_IDS

    def __init__(self, **attributes: object) -> None:
        self.registry.constructor(self, **attributes)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC, aware of its zone on both databases; SQLite alone would forget it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone: use utc_now()")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        # Instead of process_result_value, which takes three calls for each moment of each row.
        return _moment_of_sqlite if dialect.name == "sqlite" else _moment_of_server


def _moment_of_sqlite(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _moment_of_server(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def lock_row(session: DatabaseSession, row: Model) -> None:
    """Hold ``row`` until the transaction ends, and read it afresh; raise ``StaleDataError`` when it is gone.

    Two requests that use one link thereby run one after the other.
    """
    _hold(session, row)
    session.refresh(row)


def lock_unchanged(session: DatabaseSession, *rows: Model) -> None:
    """Hold ``rows`` until the transaction ends; raise ``StaleDataError`` when one is not what it was when it was read.

    What was decided on the row as it was (that a password is right, that somebody may do this) holds until the
    commit. A model says with ``version_id_col`` which column changes with what matters. The rows are held in the
    order of their ids, or two requests that need the same two could wait for each other.
    """
    session.flush()
    for row in sorted(set(rows), key=_key_of):
        _hold(session, row, as_read=True)


def _hold(session: DatabaseSession, row: Model, as_read: bool = False) -> None:
    # A write that changes nothing locks on both databases: PostgreSQL the row, SQLite the file.
    mapper = object_mapper(row)
    key, version = mapper.primary_key[0], mapper.version_id_col
    holding = update(row.__table__).where(key == _key_of(row)).values({key: key})
    if as_read and version is not None:
        holding = holding.where(version == getattr(row, mapper.get_property_by_column(version).key))
    if not changed_rows(session.execute(holding)):
        raise StaleDataError(f"the row of {row.__table__.name} was changed or deleted meanwhile")


def _key_of(row: Model) -> int:
    key: int = object_mapper(row).primary_key_from_instance(row)[0]
    return key


def changed_rows(result: Result[Any]) -> int:
    """Return how many rows an UPDATE or DELETE met."""
    return cast("CursorResult[Any]", result).rowcount


def insert_unless_taken(session: DatabaseSession, model: type[Model], **values: object) -> bool:
    """Insert a row, unless a unique index already has one like it; return whether it was inserted.

    One statement: of many requests at once one inserts, and none meets an error.
    """
    insert = dialect_insert(session, model)
    statement = insert.values(**values).on_conflict_do_nothing().returning(insert.table.c.id)
    return session.execute(statement).scalar() is not None


def dialect_insert(session: DatabaseSession, model: type[Model]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT into the model's table that knows ``ON CONFLICT``, which SQLAlchemy spells per database."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(model.__table__) if is_sqlite else postgresql.insert(model.__table__)


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Tie the models together, and make SQLite's connections safe under several processes."""
    # SQLAlchemy would do so at the first query: in each web worker anew, and a wrong relationship would be found there.
    configure_mappers()
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _set_sqlite_pragmas)


def _set_sqlite_pragmas(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
