"""The second factors of a user: checking what was typed."""

import re

from sqlalchemy import update

from app.extensions import db
from app.kit.db.database import utc_now
from app.models import RecoveryCode, User, Way
from app.models.flow import digest

NOT_IN_CODES = re.compile(r"[^a-z0-9]")


def use_code(user: User, typed: str) -> Way | None:
    """Return what ``typed`` is for this user, and use it up, or None if it is wrong. The caller commits."""
    return Way.RECOVERY_CODE if _use_recovery_code(user, typed) else None


def _use_recovery_code(user: User, typed: str) -> bool:
    """Mark a code as used, in one statement: of many requests with the same code, one finds it unused."""
    code = NOT_IN_CODES.sub("", typed.lower())
    unused = (RecoveryCode.user_id == user.id, RecoveryCode.code_hash == digest(code), RecoveryCode.used_at.is_(None))
    using = update(RecoveryCode).where(*unused).values(used_at=utc_now()).returning(RecoveryCode.id)
    return db.session.scalar(using, execution_options={"synchronize_session": False}) is not None
