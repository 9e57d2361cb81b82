"""Tests for roles: inserted once, with permissions as bits."""

from flask_sqlalchemy import SQLAlchemy

from app.models import AnonymousUser, Permission, Role, User
from tests.factories import make_admin, make_user


def test_inserting_roles_again_changes_nothing(db: SQLAlchemy) -> None:
    before = [(role.id, role.name, role.permissions) for role in Role.query.order_by(Role.id)]
    Role.insert_roles()
    assert [(role.id, role.name, role.permissions) for role in Role.query.order_by(Role.id)] == before
    assert {"User", "Administrator"} <= {name for _, name, _ in before}


def test_a_role_outranks_those_that_have_less(db: SQLAlchemy) -> None:
    """Two that have different permissions, or the same, do not outrank each other; an administrator's has all."""
    editor, seller = (Role(name="r", index="main", permissions=bits) for bits in (0x100, 0x200))
    chief, administrator = Role(name="r", index="main", permissions=0x300), Role.with_name("Administrator")
    assert administrator.outranks(chief)
    assert chief.outranks(editor)
    assert editor.outranks(None)
    assert not editor.outranks(seller)
    assert not editor.outranks(chief)
    assert not chief.outranks(chief)
    assert not administrator.outranks(Role(name="r", index="main", permissions=0xFF | 0x100))


def test_newcomers_get_the_default_role(db: SQLAlchemy) -> None:
    user = User(email="ada@example.org")
    db.session.add(user)
    assert user.role == Role.with_name("User")


def test_a_user_without_any_role_may_do_nothing(db: SQLAlchemy) -> None:
    user = User(email="ada@example.org")
    user.role = None
    assert not user.can(Permission.GENERAL)
    assert not user.is_admin()


def test_a_user_is_no_administrator(db: SQLAlchemy) -> None:
    user = make_user()
    assert user.can(Permission.GENERAL)
    assert not user.can(Permission.MANAGE_EMAILS)
    assert not user.is_admin()


def test_an_administrator_passes_every_check_also_for_new_bits(db: SQLAlchemy) -> None:
    admin = make_admin()
    assert admin.is_admin()
    assert admin.can(Permission.VIEW_AUDIT_LOG)
    assert admin.can(0x100)


def test_strangers_may_do_nothing() -> None:
    assert not AnonymousUser().can(Permission.GENERAL)
    assert not AnonymousUser().is_admin()


def test_role_users_can_be_queried(db: SQLAlchemy) -> None:
    user = make_user()
    role = Role.with_name("User")
    assert role is not None
    assert role.users.filter_by(email=user.email).one() is user
