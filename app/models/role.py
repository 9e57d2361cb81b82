"""Roles and permissions. A permission is a bit, and a role is a row with a set of bits."""

from collections.abc import Iterable
from enum import IntFlag
from functools import cache

from flask import current_app
from sqlalchemy import Select, String, delete, exists, false, select
from sqlalchemy.orm import DynamicMapped, Mapped, mapped_column, relationship

from app.extensions import Model, db
from app.kit.db.database import PLAIN, changed_rows


class PermissionFlag(IntFlag):
    """Permissions with a name and a description for people: ``READ_ALL = 0x100, "Read all notes", "Everybody's."``.

    Both may be left out: the name in the code then becomes the name for people.
    """

    label: str
    description: str

    def __new__(cls, value: int, label: str = "", description: str = "") -> "PermissionFlag":
        """Return a bit with its words."""
        bit = int.__new__(cls, value)
        bit._value_, bit.label, bit.description = value, label, description
        return bit


class Permission(PermissionFlag):
    """What a user may do.

    A fork adds permissions for the whole site here (0x10, 0x20, 0x40), and those of its own areas in the areas, from
    0x100 to 0x80000. The bits from KIT_BITS up to 0x40000000 belong to releases of the kit; 0x80 marks an
    administrator and belongs to no action. ``app.areas`` refuses two permissions with the same bit.
    """

    GENERAL = 0x01, "Use the site", "What every account may do."
    MANAGE_EMAILS = 0x02, "Manage emails", "See the state of every email, send it again or cancel it."
    MANAGE_JOBS = 0x04, "Run jobs", "See background jobs and the schedule, run or discard a failed job."
    VIEW_AUDIT_LOG = 0x08, "Read the audit log", "See who did what, when and from where."
    ADMINISTER = 0xFF, "Everything", "All of the others, and whatever is added later."
    VIEW_DASHBOARD = 0x100000, "See the dashboard", "Figures and health of the site."
    VIEW_USERS = 0x200000, "See users", "Names, addresses, states and sessions. The next five need it, too."
    CHANGE_USERS = 0x400000, "Add and change users", "Invite them, change names and addresses, end their sessions."
    DISABLE_USERS = 0x800000, "Disable users", "Lock accounts and unlock them; nothing is deleted."
    DELETE_USERS = 0x1000000, "Delete users", "With all of their data."
    EXPORT_USERS = 0x2000000, "Export users", "Download lists of names and addresses."
    IMPERSONATE = 0x4000000, "Look at the site as a user", "For a limited time, with a reason; the user is told."
    CHANGE_ROLES = 0x8000000, "Change account types", "Add and change them, and choose those of users."
    CHANGE_PAGES = 0x10000000, "Change pages", "Write the texts of pages that can be edited."
    REMOVE_FACTORS = 0x20000000, "Remove second factors", "Of users who are locked out, after a day. Needs “See users”."


EVERYTHING = int(Permission.ADMINISTER)
# The column is a signed integer of 32 bits, so 0x40000000 is the highest.
KIT_BITS = 0x100000
# What opens pages of the admin area.
FOR_STAFF = int(Permission.MANAGE_EMAILS | Permission.MANAGE_JOBS | Permission.VIEW_AUDIT_LOG) | ~(KIT_BITS - 1)
# What is done on the page of a user.
ABOUT_USERS = (
    Permission.CHANGE_USERS
    | Permission.DISABLE_USERS
    | Permission.DELETE_USERS
    | Permission.EXPORT_USERS
    | Permission.IMPERSONATE
    | Permission.REMOVE_FACTORS
)

# Name, permissions, and the blueprint of its home page. These roles cannot be changed on /admin/roles.
RoleRow = tuple[str, int, str]
ROLES: list[RoleRow] = [
    ("User", Permission.GENERAL, "main"),
    ("Administrator", Permission.ADMINISTER, "admin"),
]


class Role(Model):
    """A named set of permissions."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    index: Mapped[str] = mapped_column(String(64))
    default: Mapped[bool] = mapped_column(default=False, server_default=false(), index=True)
    permissions: Mapped[int] = mapped_column(default=0, server_default="0")

    # By name: user.py imports this module.
    users: DynamicMapped[Model] = relationship("User", back_populates="role")

    @staticmethod
    def insert_roles() -> None:
        """Insert or update the roles of ``ROLES`` and of the areas, and commit. Running it again changes nothing.

        NEWCOMER_ROLE becomes the default only while no role is: an administrator may have chosen another one.
        """
        for name, permissions, index in rows_of_code():
            role = Role.with_name(name) or Role(name=name)
            role.permissions, role.index = int(permissions), index
            db.session.add(role)
        if Role.for_newcomers() is None and (first := Role.with_name(current_app.config["NEWCOMER_ROLE"])):
            first.default = True
        db.session.commit()

    @classmethod
    def with_name(cls, name: str) -> "Role | None":
        """Return the role called ``name``, or None."""
        return db.session.scalar(select(cls).where(cls.name == name))

    @classmethod
    def names(cls) -> dict[int, str]:
        """Return the names of all roles by their ids, sorted by name."""
        return dict(db.session.execute(_names()).all())

    @classmethod
    def for_newcomers(cls) -> "Role | None":
        """Return the role of new users, or None before the roles are inserted."""
        return db.session.scalar(select(cls).where(cls.default))

    @classmethod
    def administrators(cls) -> list["Role"]:
        """Return the roles that have every permission."""
        holding_all = cls.permissions.bitwise_and(EVERYTHING) == EVERYTHING
        return list(db.session.scalars(select(cls).where(holding_all).order_by(cls.id)))

    def has(self, permission: int) -> bool:
        """Return whether the role has all bits of ``permission``. An administrator's role has every permission."""
        # Plain integers: operations on an IntFlag are slow, and a page calls this for every link of a menu.
        granted, wanted = self.permissions, int(permission)
        return granted & EVERYTHING == EVERYTHING or granted & wanted == wanted

    def includes(self, other: "Role | None") -> bool:
        """Return whether the role has every permission of ``other``."""
        return other is None or self.has(other.permissions | (EVERYTHING if other.has(EVERYTHING) else 0))

    def outranks(self, other: "Role | None") -> bool:
        """Return whether the role has every permission of ``other``, and more."""
        return self.includes(other) and not (other and other.includes(self))

    @property
    def is_defined_by_code(self) -> bool:
        """Whether a release sets the permissions of this role, so that nobody can change them on a page."""
        return any(name == self.name for name, *_ in rows_of_code())

    @property
    def is_for_staff(self) -> bool:
        """Whether the role opens a page of the admin area, so that nobody may get it by signing up."""
        return bool(self.permissions & FOR_STAFF)

    @property
    def permission_labels(self) -> list[str]:
        """What the role permits, in words; of an administrator's role only "Everything"."""
        return labels_of(self.permissions)

    def make_default(self) -> None:
        """Give this role to new users from now on. The caller commits."""
        for role in db.session.scalars(select(Role).where(Role.default)):
            role.default = False
        self.default = True

    def delete_unless_used(self) -> bool:
        """Delete the role, and return False if a user has it. Raises ``IntegrityError`` if a user just gets it."""
        used = exists().where(db.metadata.tables["users"].c.role_id == Role.id)
        deleting = delete(Role).where(Role.id == self.id, ~used)
        return bool(changed_rows(db.session.execute(deleting, execution_options=PLAIN)))

    def __repr__(self) -> str:
        return f"<Role {self.name}>"


@cache
def _names() -> Select[int, str]:
    return select(Role.id, Role.name).order_by(Role.name)


def rows_of_code() -> list[RoleRow]:
    """Return the roles that the site and its areas define."""
    return [*ROLES, *current_app.extensions["roles_of_areas"]]


def all_permissions() -> list[IntFlag]:
    """Return every permission of the site and of its areas, one bit each; ``ADMINISTER`` comes last."""
    of_areas: Iterable[IntFlag] = current_app.extensions["permissions_of_areas"]
    # Iterating over an IntFlag leaves out combinations of bits, such as ADMINISTER.
    return [*Permission, *of_areas, Permission.ADMINISTER]


def label_of(bit: IntFlag) -> str:
    """Return the name of a permission for people."""
    return getattr(bit, "label", "") or (bit.name or "").replace("_", " ").capitalize()


def labels_of(permissions: int) -> list[str]:
    """Return the names of these permissions; of all together only "Everything"."""
    if permissions & EVERYTHING == EVERYTHING:
        return [label_of(Permission.ADMINISTER)]
    return [label_of(bit) for bit in all_permissions() if permissions & int(bit) == int(bit)]
