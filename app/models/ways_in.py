"""The ways in which users log in."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from flask import current_app
from sqlalchemy import exists, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from app.extensions import db
from app.models.authenticator_app import AuthenticatorApp
from app.models.linked_identity import LinkedIdentity
from app.models.passkey import Passkey
from app.models.recovery_code import RecoveryCode
from app.models.user import User


class Way(StrEnum):
    """What somebody has proven with. A session's row lists those of its login."""

    PASSWORD = "password"  # noqa: S105
    PASSKEY = "passkey"
    APP = "app"
    RECOVERY_CODE = "recovery_code"
    MAILED_CODE = "mailed_code"
    PROVIDER = "provider"
    INVITATION = "invitation"

    @property
    def label(self) -> str:
        """The way in words, such as "Recovery code"."""
        return self.value.replace("_", " ").capitalize()


# What can be asked for after a first factor.
SECOND_FACTORS = (Way.PASSKEY, Way.APP, Way.RECOVERY_CODE)
# Whose rows show that a user has set up a way.
_USERS_WITH: dict[Way, InstrumentedAttribute[int]] = {
    Way.PASSKEY: Passkey.user_id,
    Way.APP: AuthenticatorApp.user_id,
    Way.RECOVERY_CODE: RecoveryCode.user_id,
    Way.PROVIDER: LinkedIdentity.user_id,
}


def ways_by_user(user_ids: Collection[int], ways: Iterable[Way] = tuple(_USERS_WITH)) -> dict[int, set[Way]]:
    """Return which of ``ways`` each of these users has set up, in one query; without users who have none."""
    owners = [(way, _USERS_WITH[way]) for way in ways]
    rows = union_all(*(select(owner, literal(way.value)).where(owner.in_(user_ids)) for way, owner in owners))
    found: dict[int, set[Way]] = {}
    for user_id, way in db.session.execute(rows):
        found.setdefault(user_id, set()).add(Way(way))
    return found


def second_factors(user: User) -> frozenset[Way]:
    """Return the second factors that a login of ``user`` asks for; none until recovery codes are saved.

    Otherwise who loses a device would be locked out.
    """
    found = ways_by_user([user.id], SECOND_FACTORS).get(user.id, set())
    return frozenset(found) if Way.RECOVERY_CODE in found and len(found) > 1 else frozenset()


def ways_left(user: User, without: Passkey | LinkedIdentity) -> set[Way]:
    """Return the ways in which ``user`` could log in if this row were gone. The caller has locked the user's row."""
    mine = (LinkedIdentity.user_id == user.id, LinkedIdentity.provider.in_(current_app.config["PROVIDERS"]))
    identities = select(LinkedIdentity.id).where(*mine, LinkedIdentity.id != _id_of(LinkedIdentity, without))
    passkeys = select(Passkey.id).where(Passkey.user_id == user.id, Passkey.id != _id_of(Passkey, without))
    has_identity, has_passkey = db.session.execute(select(exists(identities), exists(passkeys))).one()
    found = {Way.PASSWORD: bool(user.password_hash), Way.PROVIDER: has_identity, Way.PASSKEY: has_passkey}
    return {way for way, is_there in found.items() if is_there}


def _id_of(kind: type[Passkey | LinkedIdentity], row: Passkey | LinkedIdentity) -> int:
    return row.id if isinstance(row, kind) else 0


def way_labels(users: Sequence[User]) -> dict[int, list[str]]:
    """Return in which ways each of these users can log in, in words; none while the user is only invited."""
    found = ways_by_user([user.id for user in users])
    return {user.id: _labels(user, found.get(user.id, set())) for user in users}


def _labels(user: User, found: set[Way]) -> list[str]:
    if user.is_invited:
        return []
    every = found | ({Way.PASSWORD} if user.password_hash else set())
    return [way.label for way in Way if way in every]
