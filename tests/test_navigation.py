"""Tests for the menus: who sees which entry, and which one is highlighted."""

import re

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app.extensions import db as database
from app.models import Permission, Role
from app.navigation import ADMINISTRATION, BAR, DEVELOPMENT, MENUS, USER, Entry, Section, add_rows
from tests.factories import let_in, make_admin, make_user

# The kit's entries; a fork's may be between them.
OF_THE_KIT = {"About", "Administration", "Log in", "Register", "Home", "Profile", "Security"}
OF_THE_KIT |= {"Dashboard", "Users", "Invite a user", "Add a user", "Emails", "Jobs", "Audit log"}
ENTRIES = [row for rows in MENUS.values() for row in rows if isinstance(row, Entry)]


def labels(html: str, label: str = "Main") -> list[str]:
    """Return the texts of the kit's links in the menu called ``label``."""
    menu = html.partition(f'aria-label="{label}"')[2].partition("</nav>")[0]
    texts = [re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL) for text in re.findall(r"<a [^>]*>(.*?)</a>", menu)]
    return [text for text in texts if text in OF_THE_KIT]


def highlighted(html: str, label: str = "Main") -> list[tuple[str, str]]:
    """Return the texts of the highlighted links, each with the kind of its highlight."""
    menu = html.partition(f'aria-label="{label}"')[2].partition("</nav>")[0]
    found = re.findall(r'<a [^>]*aria-current="(\w+)"[^>]*>(?:<svg.*?</svg>)?(.*?)</a>', menu, flags=re.DOTALL)
    return [(text, kind) for kind, text in found]


def test_visitors_are_offered_to_log_in(client: FlaskClient) -> None:
    assert labels(client.get("/").text) == ["About", "Log in", "Register"]


@pytest.mark.parametrize("confirmed", [True, False])
def test_users_are_offered_what_is_their_own(client: FlaskClient, confirmed: bool) -> None:
    let_in(client, make_user(first_name="<b>Ada", last_name="Wren", confirmed=confirmed))
    page = client.get("/about").text
    assert labels(page) == ["About"]
    assert labels(page, "Personal") == ["Home", "Profile", "Security"]
    assert '<span class="user-menu__name">&lt;b&gt;Ada Wren</span>' in page
    assert '<form method="post" action="/account/logout">' in page
    assert "Personal" not in client.application.test_client().get("/about").text


def test_a_user_without_a_name_finds_the_menu(client: FlaskClient) -> None:
    user = make_user(first_name="", last_name="")
    let_in(client, user)
    assert '<span class="user-menu__name">Your account</span>' in client.get("/about").text
    user.nickname = "Countess"
    database.session.commit()
    assert '<span class="user-menu__name">Countess</span>' in client.get("/about").text


def test_administrators_are_offered_the_administration(client: FlaskClient) -> None:
    let_in(client, make_admin())
    page = client.get("/about").text
    assert labels(page) == ["About", "Administration"]
    assert labels(page, "Personal") == ["Home", "Profile", "Security", "Administration"]


def test_a_small_permission_leads_to_the_pages_that_it_opens(client: FlaskClient, db: SQLAlchemy) -> None:
    role = Role(name="Postmaster", index="main", permissions=Permission.GENERAL | Permission.MANAGE_EMAILS)
    db.session.add(role)
    db.session.commit()
    let_in(client, make_user(role.name))
    page = client.get("/about").text
    assert labels(page) == ["About", "Administration"]
    assert 'href="/admin/emails">Administration' in page
    assert labels(client.get("/admin/emails").text, "Administration") == ["Emails"]
    role.users.delete()
    db.session.delete(role)
    db.session.commit()


def test_an_area_is_highlighted_on_all_of_its_pages(client: FlaskClient) -> None:
    user = make_admin()
    let_in(client, user)
    assert highlighted(client.get("/about").text) == [("About", "page")]
    assert highlighted(client.get("/admin/").text) == [("Administration", "page")]
    page = client.get(f"/admin/user/{user.id}").text
    assert highlighted(page) == [("Administration", "true")]
    assert highlighted(page, "Administration") == [("Users", "true")]
    page = client.get("/account/manage/change-password").text
    assert highlighted(page) == []
    assert '<summary aria-current="true">' in page
    assert highlighted(page, "Personal") == highlighted(page, "Account") == [("Security", "true")]
    assert '<summary aria-current="true">' not in client.get("/about").text


def test_every_entry_and_every_page_of_one_exists(app: Flask) -> None:
    endpoints = {endpoint for entry in ENTRIES for endpoint in (entry.endpoint, *entry.pages)}
    assert endpoints <= app.view_functions.keys()
    assert {row.menu for name in (BAR, USER) for row in MENUS[name] if isinstance(row, Section)} == {ADMINISTRATION}


def test_every_entry_of_the_kit_is_looked_for() -> None:
    assert {row.label for rows in MENUS.values() for row in rows} >= OF_THE_KIT


def test_no_page_belongs_to_two_entries() -> None:
    pages = [
        (name, page) for name, rows in MENUS.items() for row in rows if isinstance(row, Entry) for page in row.pages
    ]
    assert len(pages) == len(set(pages))


def test_an_area_adds_rows_of_its_own(app: Flask, db: SQLAlchemy) -> None:
    known = dict(app.extensions["menus"])
    app.extensions["menus"] = {name: list(rows) for name, rows in known.items()}
    add_rows(app, BAR, [Entry("main.robots", "Robots")])
    add_rows(app, DEVELOPMENT, [Entry("main.robots", "Robots")])
    with app.test_request_context("/"):
        shown = render_template_string("{% for entry in menu('bar') %}{{ entry.label }} {% endfor %}")
        assert render_template_string("{{ (menu('development')|last).label }}") == "Robots"
    app.extensions["menus"] = known
    assert shown.index("About") < shown.index("Robots") < shown.index("Log in")
