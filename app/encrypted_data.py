"""What the database holds encrypted with DATA_KEYS, except for what waits in flows, which are over within the hour."""

from collections.abc import Iterator

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.extensions import db
from app.kit.core import data_keys
from app.kit.db.database import PLAIN
from app.models import AuthenticatorApp

COLUMNS: list[InstrumentedAttribute[str]] = [AuthenticatorApp.encrypted_secret]
ROWS_AT_ONCE = 500


def encrypt_anew() -> Iterator[tuple[int, int]]:
    """Encrypt everything with the first key; yield how many values were read, and how many no key could read.

    Each batch is committed. It can be interrupted, and run again.
    """
    done = unreadable = 0
    for column in COLUMNS:
        key, last_id = column.class_.id, 0
        batch = select(key, column).order_by(key).limit(ROWS_AT_ONCE)
        while rows := db.session.execute(batch.where(key > last_id)).all():
            for last_id, text in rows:
                done += 1
                try:
                    anew = data_keys.encrypt_anew(text)
                except data_keys.UnreadableError:
                    unreadable += 1
                    continue
                # Unless it was replaced meanwhile.
                unchanged = update(column.class_).where(key == last_id, column == text)
                db.session.execute(unchanged.values({column: anew}), execution_options=PLAIN)
            db.session.commit()
            yield done, unreadable


def is_readable() -> bool:
    """Return whether the keys read the oldest and the newest value of each column."""
    for column in COLUMNS:
        for order in (column.class_.id, column.class_.id.desc()):
            text = db.session.scalar(select(column).order_by(order).limit(1))
            try:
                if text is not None:
                    data_keys.decrypt(text)
            except data_keys.UnreadableError:
                return False
    return True
