"""Roles and permissions. A permission is a bit, and a role is a row with a set of bits."""

from enum import IntFlag

from flask import current_app
from sqlalchemy import String, false, select
from sqlalchemy.orm import DynamicMapped, Mapped, mapped_column, relationship

from app.extensions import Model, db


class Permission(IntFlag):
    """What a user may do.

    A fork adds permissions for the whole site here (0x10, 0x20, 0x40), and those of its own areas in the areas,
    from 0x100 on. ``app.areas`` refuses two permissions with the same bit.
    """

    GENERAL = 0x01
    MANAGE_EMAILS = 0x02
    MANAGE_JOBS = 0x04
    VIEW_AUDIT_LOG = 0x08
    ADMINISTER = 0xFF


EVERYTHING = int(Permission.ADMINISTER)

# Name, permissions, and the blueprint of its home page. New users get NEWCOMER_ROLE of config.py.
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
        """Insert or update the roles of ``ROLES`` and of the areas, and commit. Running it again changes nothing."""
        for name, permissions, index in [*ROLES, *current_app.extensions["roles_of_areas"]]:
            role = Role.with_name(name) or Role(name=name)
            role.permissions, role.index = int(permissions), index
            role.default = name == current_app.config["NEWCOMER_ROLE"]
            db.session.add(role)
        db.session.commit()

    @classmethod
    def with_name(cls, name: str) -> "Role | None":
        """Return the role called ``name``, or None."""
        return db.session.scalar(select(cls).where(cls.name == name))

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

    def outranks(self, other: "Role | None") -> bool:
        """Return whether the role has all permissions of ``other``, and more."""
        return other is None or (self.has(other.permissions) and not other.has(self.permissions))

    def __repr__(self) -> str:
        return f"<Role {self.name}>"
