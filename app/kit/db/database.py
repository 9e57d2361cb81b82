"""Database basics: names of constraints, UTC times, SQLite's settings, row locks."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, cast, dataclass_transform

import flask_sqlalchemy.model
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.model import DefaultMeta
from sqlalchemy import CursorResult, DateTime, Dialect, MetaData, Result, Table, TypeDecorator, event, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.orm import Session, configure_mappers, object_mapper, registry, scoped_session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import QueuePool

# Without these names SQLite's constraints have none, and no migration can drop one.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite reuses the id of a deleted row: an old link or session would fit a new user.
NEVER_REUSE_IDS = {"sqlite_autoincrement": True}

# For an UPDATE or DELETE of many rows: SQLAlchemy need not look for them among the objects of the session.
PLAIN = {"synchronize_session": False}

# The words of SQLite and PostgreSQL.
MISSING = re.compile(r"no such (table|column)|has no column named|(relation|column) .* does not exist")

DatabaseSession = Session | scoped_session[Any]


# For mypy and editors: User(emial=…) is an error, and so is User(email=1).
@dataclass_transform(kw_only_default=True)
class Model(flask_sqlalchemy.model.Model, metaclass=DefaultMeta):
    """The base class of every model; ``db.Model`` is this class.

    Derive models from ``Model``: Flask-SQLAlchemy sets ``db.Model`` at run time, where mypy cannot see it.
    """

    __abstract__ = True
    registry = registry(metadata=MetaData(naming_convention=NAMING_CONVENTION))
    metadata = registry.metadata
    __table__: ClassVar[Table]
    __table_args__: ClassVar[tuple[object, ...] | dict[str, bool]] = NEVER_REUSE_IDS

    def __init__(self, **attributes: object) -> None:
        self.registry.constructor(self, **attributes)


class UTCDateTime(TypeDecorator[datetime]):
    """A time in UTC that keeps its time zone on both databases; SQLite alone would drop it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """The type of the values, which SQLAlchemy does not take over from ``impl``."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return ``value`` in UTC, for SQLite without its time zone. Raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone: use utc_now()")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Return a function that converts a stored value to a datetime in UTC."""
        # Instead of process_result_value, which takes three calls for each value.
        return _moment_of_sqlite if dialect.name == "sqlite" else _moment_of_server


def _moment_of_sqlite(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _moment_of_server(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def lock_row(session: DatabaseSession, row: Model) -> None:
    """Lock ``row`` until the transaction ends, and reload it. Raises ``StaleDataError`` when it is gone.

    Two requests that use the same link then run one after the other.
    """
    _lock(session, row)
    session.refresh(row)


def lock_unchanged(session: DatabaseSession, *rows: Model) -> None:
    """Lock ``rows`` until the transaction ends. Raises ``StaleDataError`` when one has changed since it was read.

    A decision made on the row as it was read (the password is right, the user may do this) then holds until the
    commit. A model's ``version_id_col`` names the column that changes with what matters. The rows are locked in the
    order of their ids; otherwise two requests that need the same two could deadlock.
    """
    session.flush()
    for row in sorted(set(rows), key=_key_of):
        _lock(session, row, as_read=True)


def _lock(session: DatabaseSession, row: Model, as_read: bool = False) -> None:
    # An UPDATE that changes nothing takes a lock on both databases: on the row in PostgreSQL, on the file in SQLite.
    mapper = object_mapper(row)
    key, version = mapper.primary_key[0], mapper.version_id_col
    # For an id that is set, SQLite writes every index of the row anew: two milliseconds for a user among 200,000.
    untouched = key if version is None else version
    statement = update(row.__table__).where(key == _key_of(row)).values({untouched: untouched})
    if as_read and version is not None:
        statement = statement.where(version == getattr(row, mapper.get_property_by_column(version).key))
    if not changed_rows(session.execute(statement)):
        raise StaleDataError(f"the row of {row.__table__.name} was changed or deleted meanwhile")


def _key_of(row: Model) -> int:
    key: int = object_mapper(row).primary_key_from_instance(row)[0]
    return key


def changed_rows(result: Result[Any]) -> int:
    """Return how many rows an UPDATE or DELETE matched."""
    return cast("CursorResult[Any]", result).rowcount


def insert_unless_taken(session: DatabaseSession, model: type[Model], **values: object) -> bool:
    """Insert a row unless a unique index already has one like it; return whether it was inserted.

    It is one statement: of many requests at once one inserts, and none gets an error.
    """
    insert = dialect_insert(session, model)
    statement = insert.values(**values).on_conflict_do_nothing().returning(insert.table.c.id)
    return session.execute(statement).scalar() is not None


def dialect_insert(session: DatabaseSession, model: type[Model]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that supports ``ON CONFLICT``, for which SQLAlchemy has a class per database."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(model.__table__) if is_sqlite else postgresql.insert(model.__table__)


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Configure the models, and make SQLite's connections safe for several processes."""
    # Otherwise each web worker does so at its first query, and a wrong relationship is reported only then.
    configure_mappers()
    with app.app_context():
        event.listen(db.engine, "handle_error", _name_the_cure)
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _set_sqlite_pragmas)
        else:
            event.listen(db.engine, "connect", _plan_each_query)


def _name_the_cure(context: ExceptionContext) -> None:
    if context.sqlalchemy_exception and MISSING.search(str(context.original_exception)):
        context.sqlalchemy_exception.add_note(
            "The database lacks what the models have. Run: manage.py db upgrade. "
            'If you have changed a model, first: manage.py db migrate -m "what it changes"'
        )


def connections_in_use(app: Flask) -> int:
    """Return how many connections of this process are in use."""
    with app.app_context():
        pools = [engine.pool for engine in app.extensions["sqlalchemy"].engines.values()]
    return sum(pool.checkedout() for pool in pools if isinstance(pool, QueuePool))


def _plan_each_query(connection: Any, _record: object) -> None:
    """Let PostgreSQL know the values of each query: psycopg prepares one that is repeated, for any values.

    PostgreSQL may then read a million rows for a word that nobody has, because others are common.
    """
    connection.prepare_threshold = None


def _set_sqlite_pragmas(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
