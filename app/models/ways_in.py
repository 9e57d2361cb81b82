"""The ways in which users log in."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from functools import cache

from flask import current_app
from sqlalchemy import Select, bindparam, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from app.extensions import Model, db
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
    """Return which of ``ways`` each of these users has set up, in one query; without users who have none.

    Passkeys that PASSKEYS switched off do not count.
    """
    is_off = {Way.PASSKEY} if not current_app.config["PASSKEYS"] else set()
    rows = db.session.execute(_owners(*(way for way in ways if way not in is_off)), {"user_ids": user_ids})
    found: dict[int, set[Way]] = {}
    for user_id, way in rows:
        found.setdefault(user_id, set()).add(Way(way))
    return found


@cache
def _owners(*ways: Way) -> Select[int, str]:
    # Built once for the same ways, because each list of users and each login runs it. Both databases look for the users
    # in each table; with a condition for each, their ids would be sent four times.
    rows = union_all(*(select(_USERS_WITH[way].label("user_id"), literal(way.value)) for way in ways)).subquery()
    return select(*rows.c).where(rows.c.user_id.in_(bindparam("user_ids", expanding=True)))


def second_factors(user: User) -> frozenset[Way]:
    """Return the second factors that a login of ``user`` asks for; none until recovery codes are saved.

    Otherwise who loses a device would be locked out.
    """
    found = ways_by_user([user.id], SECOND_FACTORS).get(user.id, set())
    return frozenset(found) if Way.RECOVERY_CODE in found and len(found) > 1 else frozenset()


def may_get_codes(user: User) -> bool:
    """Return whether ``user`` may log in with a mailed code: only by setting, and administrators by another one."""
    settings = current_app.config
    is_staff = user.role is not None and user.role.is_for_staff
    return bool(settings["MAGIC_LINK"] and (settings["MAGIC_LINK_FOR_ADMINISTRATORS"] or not is_staff))


def has_other_way_in(user: User, without: Model | Way) -> bool:
    """Return whether ``user`` could log in without a passkey, a linked identity, or ``Way.PASSWORD``.

    The link that resets a password does not count: it is for who has lost a way in. The answer holds until the commit
    if the caller has locked the row of the user.
    """
    if may_get_codes(user) or (user.password_hash and without is not Way.PASSWORD):
        return True
    rows: list[Model] = []
    rows += Passkey.of(user) if current_app.config["PASSKEYS"] else []
    rows += [row for row in LinkedIdentity.of(user) if row.provider in current_app.config["PROVIDERS"]]
    return any(row is not without for row in rows)


def must_have_second_factor(user: User) -> bool:
    """Return whether SECOND_FACTOR_REQUIRED demands one of this user; of administrators includes all staff."""
    required = current_app.config["SECOND_FACTOR_REQUIRED"]
    return required == "all" or (required == "admin" and user.role is not None and user.role.is_for_staff)


def way_labels(users: Sequence[User]) -> dict[int, list[str]]:
    """Return in which ways each of these users can log in, in words; none while the user is only invited."""
    found = ways_by_user([user.id for user in users])
    return {user.id: _labels(user, found.get(user.id, set())) for user in users}


def _labels(user: User, found: set[Way]) -> list[str]:
    if user.is_invited:
        return []
    # A list, because the hash of an enum's member is computed in Python.
    every = [*found, Way.PASSWORD] if user.password_hash else [*found]
    return [way.label for way in Way if way in every]
