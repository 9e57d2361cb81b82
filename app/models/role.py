"""Roles and what they may do: a permission is a bit, a role is a row of bits."""

from enum import IntFlag

from flask import current_app
from sqlalchemy import String, false, select
from sqlalchemy.orm import DynamicMapped, Mapped, mapped_column, relationship

from app.extensions import Model, db


class Permission(IntFlag):
    """What somebody may do.

    A fork adds a bit for the whole site here (0x10, 0x20, 0x40), and one for an area of its own in that
    area, from 0x100 on: ``app.areas`` refuses two permissions with one bit.
    """

    GENERAL = 0x01
    MANAGE_EMAILS = 0x02
    MANAGE_JOBS = 0x04
    VIEW_AUDIT_LOG = 0x08
    ADMINISTER = 0xFF


EVERYTHING = int(Permission.ADMINISTER)

# name, permissions, the blueprint that is its home; who signs up gets NEWCOMER_ROLE of config.py
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
        """Bring the table in line with ``ROLES`` and those of the areas; running it again changes nothing. Commits."""
        for name, permissions, index in [*ROLES, *current_app.extensions["roles_of_areas"]]:
            role = Role.with_name(name) or Role(name=name)
            role.permissions, role.index = int(permissions), index
            role.default = name == current_app.config["NEWCOMER_ROLE"]
            db.session.add(role)
        db.session.commit()

    @classmethod
    def with_name(cls, name: str) -> "Role | None":
        """Answer the role called ``name``."""
        return db.session.scalar(select(cls).where(cls.name == name))

    @classmethod
    def for_newcomers(cls) -> "Role | None":
        """Return the role of who signs up; None before the roles are inserted."""
        return db.session.scalar(select(cls).where(cls.default))

    @classmethod
    def administrators(cls) -> list["Role"]:
        """Answer the roles that hold every permission of an administrator."""
        holding_all = cls.permissions.bitwise_and(EVERYTHING) == EVERYTHING
        return list(db.session.scalars(select(cls).where(holding_all).order_by(cls.id)))

    def has(self, permission: int) -> bool:
        """Tell whether the role holds all bits of ``permission``; an administrator's passes every check."""
        # Plain numbers: each operation on a flag makes a flag, and a page asks this for every link of a menu.
        granted, wanted = self.permissions, int(permission)
        return granted & EVERYTHING == EVERYTHING or granted & wanted == wanted

    def __repr__(self) -> str:
        return f"<Role {self.name}>"
