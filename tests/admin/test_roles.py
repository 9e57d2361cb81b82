"""Tests for /admin/roles: who may grant what, and that an administrator always remains."""

from enum import IntFlag

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from app.admin import role_actions
from app.admin.user_actions import RefusedError
from app.models import AuditEvent, Permission, Role, User
from app.models.role import EVERYTHING, KIT_BITS, ROLES, all_permissions, label_of
from tests.factories import browser_of, make_admin, make_role, make_user
from tests.html_forms import forms_on
from tests.together import together

P = Permission
SUPPORT = int(P.GENERAL | P.VIEW_USERS | P.CHANGE_ROLES | P.CHANGE_USERS)


pytestmark = pytest.mark.usefixtures("kept_roles")


def bits(*permissions: int) -> list[str]:
    return [str(int(bit)) for bit in permissions]


def filled(name: str, *permissions: int, index: str = "main") -> dict[str, object]:
    return {"name": name, "permissions": bits(*permissions), "index": index}


def last_event() -> AuditEvent:
    return AuditEvent.query.order_by(AuditEvent.id.desc()).first()


def test_each_action_has_one_bit_and_words_for_people() -> None:
    for bit in Permission:
        assert int(bit).bit_count() == 1
        assert bit.label
        assert bit.description
    assert max(Permission) <= 0x40000000, "the column is a signed integer of 32 bits"
    assert all(bit < 0x10 or bit >= KIT_BITS for bit in Permission), "these bits belong to forks"


@pytest.mark.usefixtures("admin")
def test_a_role_is_added_changed_and_deleted(client: FlaskClient) -> None:
    assert client.post("/admin/roles/new", data=filled("Support", P.GENERAL, P.VIEW_USERS)).location == "/admin/roles"
    role = Role.with_name("Support")
    assert (role.permissions, role.index, role.default) == (0x200001, "main", False)
    assert last_event().details == {"role": "Support", "added": "See users, Use the site", "removed": "",
                                    "before": "", "home": ""}  # fmt: skip
    person = make_user("Support")
    page = client.get("/admin/roles").text
    assert f'<a href="/admin/users?role={role.id}">1<' in page
    assert "See users" in page
    [form] = [form for form in forms_on(client.get(f"/admin/roles/{role.id}").text) if "name" in form.values]
    assert form.values["name"] == "Support"
    changed = filled("Helpers", P.GENERAL, P.VIEW_DASHBOARD, index="admin")
    assert client.post(f"/admin/roles/{role.id}", data=changed).location == "/admin/roles"
    assert last_event().details == {"role": "Helpers", "added": "See the dashboard", "removed": "See users",
                                    "before": "Support", "home": "admin"}  # fmt: skip
    client.post(f"/admin/roles/{role.id}/delete")
    assert "Somebody has this account type" in client.get("/admin/roles").text
    person.role = Role.with_name("User")
    Role.query.session.commit()
    client.post(f"/admin/roles/{role.id}/delete")
    assert last_event().event == "role.deleted"
    assert Role.with_name("Helpers") is None


@pytest.mark.usefixtures("admin")
def test_what_the_code_defines_stays_and_what_a_page_defines_survives_a_release(client: FlaskClient) -> None:
    page = client.get("/admin/roles").text
    assert page.count("defined by the code") == len(ROLES)
    for name, permissions, _ in ROLES:
        role = Role.with_name(name)
        client.post(f"/admin/roles/{role.id}", data=filled("Mine", P.GENERAL))
        client.post(f"/admin/roles/{role.id}/delete")
        assert (role.name, role.permissions) == (name, permissions)
    client.post("/admin/roles/new", data=filled("Members", P.GENERAL))
    members = Role.with_name("Members")
    client.post(f"/admin/roles/{members.id}/make-default")
    assert last_event().event == "role.made_default"
    Role.insert_roles()
    assert [role.name for role in Role.query.filter_by(default=True)] == ["Members"]
    assert make_user(role=None).role.name == "Members"
    client.post(f"/admin/roles/{members.id}/delete")
    assert Role.with_name("Members")


@pytest.mark.usefixtures("admin")
def test_nobody_becomes_staff_by_signing_up(client: FlaskClient) -> None:
    administrators = Role.with_name("Administrator")
    client.post(f"/admin/roles/{administrators.id}/make-default")
    assert not administrators.default
    members = make_role("Members", P.GENERAL)
    client.post(f"/admin/roles/{members.id}/make-default")
    response = client.post(f"/admin/roles/{members.id}", data=filled("Members", P.GENERAL, P.VIEW_USERS))
    assert "Everybody who signs up would get these permissions" in response.text
    assert Role.with_name("Members").permissions == P.GENERAL


def test_nobody_grants_what_they_do_not_hold(app: Flask, db: SQLAlchemy) -> None:
    support, stronger = make_role("Support", SUPPORT), make_role("Stronger", SUPPORT | P.DELETE_USERS)
    client = browser_of(app, make_user("Support"))
    page = client.get("/admin/roles/new").text
    assert 'value="2097152"' in page
    assert f'value="{int(P.DELETE_USERS)}"' not in page
    for wanted in (P.DELETE_USERS, P.ADMINISTER):
        refused = client.post("/admin/roles/new", data=filled("More", P.GENERAL, wanted))
        assert "not a valid choice" in refused.text
    for role in (support, stronger, Role.with_name("Administrator")):
        permissions = role.permissions
        client.post(f"/admin/roles/{role.id}", data=filled("Taken", P.GENERAL))
        client.post(f"/admin/roles/{role.id}/delete")
        assert db.session.get(Role, role.id).permissions == permissions
    # Nor by way of a user.
    ordinary, boss = make_user(), make_admin()
    for role in (stronger, Role.with_name("Administrator")):
        client.post(f"/admin/user/{ordinary.id}/change-account-type", data={"role": role.id})
        assert ordinary.role.name == "User"
        person = {"first_name": "A", "last_name": "B", "email": "new@example.org", "role": role.id}
        client.post("/admin/invite-user", data=person)
        assert User.with_email("new@example.org") is None
    refused = client.post(f"/admin/user/{boss.id}/change-email", data={"email": "mine@example.org"})
    assert "permissions that you do not have" in refused.text
    client.post(f"/admin/user/{boss.id}/change-account-type", data={"role": support.id})
    client.post(f"/admin/user/{boss.id}/end-sessions")
    db.session.refresh(boss)
    assert (boss.email, boss.is_admin()) != ("mine@example.org", False)
    assert "permissions that you do not have" in client.get(f"/admin/user/{boss.id}").text


def test_two_who_take_everything_from_each_others_roles_leave_one(app: Flask, db: SQLAlchemy) -> None:
    first, second = make_role("First", EVERYTHING), make_role("Second", EVERYTHING)
    browsers = {first: browser_of(app, make_user("Second")), second: browser_of(app, make_user("First"))}
    for role, browser in browsers.items():
        browser.post(f"/admin/roles/{role.id}", data=filled(role.name, P.GENERAL))
    left = db.session.scalars(select(Role.name).where(Role.permissions == EVERYTHING, Role.name != "Administrator"))
    assert len(list(left)) == 1


@pytest.mark.parametrize(
    ("name", "edited", "problem"),
    [("Boss", "Boss", "your own account type"), ("Boss", "User", "by the code"), ("Reader", "Boss", "may no longer")],
)
def test_the_rules_hold_for_roles_as_they_are_when_it_is_their_turn(
    app: Flask, db: SQLAlchemy, name: str, edited: str, problem: str
) -> None:
    make_role("Boss", EVERYTHING)
    make_role("Reader", P.GENERAL)
    user = make_user(name)
    with app.test_request_context():
        login_user(user)
        with pytest.raises(RefusedError, match=problem):
            role_actions.save_role(Role.with_name(edited), "Less", int(P.GENERAL), "main")
    db.session.rollback()


def test_at_the_same_moment_too(app: Flask, db: SQLAlchemy) -> None:
    first, second = make_role("First", EVERYTHING), make_role("Second", EVERYTHING)
    pairs = [(browser_of(app, make_user("Second")), first.id), (browser_of(app, make_user("First")), second.id)]
    answers = together(
        [
            lambda browser=browser, role_id=role_id: browser.post(
                f"/admin/roles/{role_id}", data=filled(f"Less{role_id}", P.GENERAL)
            )
            for browser, role_id in pairs
        ]
    )
    db.session.rollback()
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert len(list(Role.query.filter(Role.permissions == EVERYTHING, Role.name != "Administrator"))) == 1


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (filled("User", P.GENERAL), "There is an account type with this name already"),
        (filled("", P.GENERAL), "Enter a name."),
        (filled("x" * 65, P.GENERAL), "64"),
        (filled("Lost", P.GENERAL, index="admin"), "With these permissions they cannot open that page."),
        (filled("Lost", P.GENERAL, index="nowhere"), "Not a valid choice"),
        (filled("Blind", P.GENERAL, P.DELETE_USERS), "With these, also choose “See users”."),
        ({"name": "Lost", "permissions": ["many", str(1 << 40)], "index": "main"}, "Invalid"),
    ],
)
def test_bad_input_is_told_and_kept(client: FlaskClient, form: dict[str, object], problem: str) -> None:
    response = client.post("/admin/roles/new", data=form)
    assert response.status_code == 200
    assert problem in response.text
    assert f'value="{form["name"]}"' in response.text
    assert Role.query.count() == len(ROLES)


def test_a_role_without_words_is_named_after_its_bits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    class NotePermission(IntFlag):
        READ_ALL = 0x100

    monkeypatch.setitem(app.extensions, "permissions_of_areas", list(NotePermission))
    with app.app_context():
        assert "Read all" in [label_of(bit) for bit in all_permissions()]
