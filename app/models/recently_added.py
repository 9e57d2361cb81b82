"""What was added to an account lately with which somebody can log in: after a reset, its owner may want it gone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import ColumnElement, func, select, update

from app.extensions import db
from app.kit.db.database import utc_now
from app.models.authenticator_app import AuthenticatorApp
from app.models.linked_identity import LinkedIdentity
from app.models.passkey import Passkey
from app.models.recovery_code import RecoveryCode
from app.models.user import User


@dataclass(frozen=True)
class Added:
    """A passkey, an authenticator app, a linked account, or (without a ``row``) recovery codes.

    ``key`` names it in forms.
    """

    key: str
    label: str
    created_at: datetime
    row: Passkey | AuthenticatorApp | LinkedIdentity | None = None


def recently_added(user: User) -> list[Added]:
    """Return what was added within RECENTLY_ADDED, never what is older: a reset link must not lead around it."""
    app, codes = (
        AuthenticatorApp.of(user),
        db.session.scalar(select(func.max(RecoveryCode.created_at)).where(*_unused(user))),
    )
    rows = [
        *(Added(f"passkey-{row.id}", f"Passkey “{row.name}”", row.created_at, row) for row in Passkey.of(user)),
        *([Added(f"app-{app.id}", "Authenticator app", app.created_at, app)] if app else []),
        *(
            Added(f"linked-{row.id}", f"Log in with {row.provider} {row.email}".strip(), row.created_at, row)
            for row in LinkedIdentity.of(user)
        ),
        *([Added("codes", "Recovery codes", codes)] if codes else []),
    ]
    since = utc_now() - current_app.config["RECENTLY_ADDED"]
    return [added for added in rows if added.created_at > since]


def remove_recently_added(user: User, keys: Collection[str]) -> list[str]:
    """Remove those of ``keys`` that were added lately, and return them in words. The caller commits.

    Recovery codes are only used up: without any, an older second factor would not be asked for.
    """
    removed = [added for added in recently_added(user) if added.key in keys]
    for added in removed:
        if added.row is None:
            db.session.execute(update(RecoveryCode).where(*_unused(user)).values(used_at=utc_now()))
        else:
            db.session.delete(added.row)
    db.session.flush()
    if removed:
        RecoveryCode.delete_lone(user)
    return [added.label for added in removed]


def _unused(user: User) -> tuple[ColumnElement[bool], ...]:
    return RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None)
