"""Tests for pages that administrators write, their revisions, and the way back."""

import re

import pytest
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from app.kit.pages.difference import MOST_LINES, Line, difference
from app.models import AuditEvent, EditableHTML, TextRevision, User
from tests.admin.test_users import make_login_old
from tests.factories import browser_of, make_user

TERMS = {"title": "Terms of use", "slug": "terms", "published": "y", "listed": "y"}


def save(client: FlaskClient, text: str, name: str = "terms") -> None:
    """Save a text as the editor does."""
    client.post("/admin/_update_editor_contents", data={"editor_name": name, "edit_data": text})


def test_a_new_page_is_public_in_the_sitemap_and_linked(client: FlaskClient, admin: User) -> None:
    assert client.post("/admin/pages/new", data=TERMS).location == "/pages/terms"
    save(client, "Be *kind*.")
    visitor = client.application.test_client()
    page = visitor.get("/pages/terms").text
    assert "<h1>Terms of use</h1>" in page
    assert "Be <em>kind</em>." in page
    assert "Edit this page" not in page
    assert "/pages/terms</loc>" in visitor.get("/sitemap.xml").text
    assert '<a href="/pages/terms">Terms of use</a>' in visitor.get("/about").text
    assert "published" in client.get("/admin/pages").text
    assert {event.event for event in AuditEvent.query} >= {"page.created", "page.edited"}


def test_a_draft_is_there_for_administrators_only(client: FlaskClient, admin: User) -> None:
    client.post("/admin/pages/new", data={**TERMS, "published": ""})
    save(client, "Not yet.")
    assert "Only administrators see this page." in client.get("/pages/terms").text
    visitor, user = client.application.test_client(), browser_of(client.application, make_user())
    for somebody in (visitor, user):
        assert somebody.get("/pages/terms").status_code == 404
        assert "/pages/terms" not in somebody.get("/about").text + somebody.get("/sitemap.xml").text
    page = EditableHTML.page("terms")
    client.post(f"/admin/pages/{page.id}/edit", data={"title": "Rules", "published": "y", "slug": "other"})
    assert "<h1>Rules</h1>" in visitor.get("/pages/terms").text
    assert "/pages/terms" not in visitor.get("/about").text, "it is no longer listed"
    assert AuditEvent.query.filter_by(event="page.changed").count() == 1


def test_a_text_of_a_template_is_no_page(client: FlaskClient, admin: User) -> None:
    save(client, "About us", "about")
    assert client.get("/pages/about").status_code == 404
    text = EditableHTML.get_editable_html("about")
    assert client.get(f"/admin/pages/{text.id}/edit").status_code == 404
    assert "part of a template" in client.get("/admin/pages").text


@pytest.mark.parametrize("slug", ["", "Terms", "a b", "a--b", "../x", "é", "x" * 61, "taken"])
def test_an_address_that_does_not_fit_is_refused(client: FlaskClient, admin: User, slug: str) -> None:
    save(client, "mine", "taken")
    answer = client.post("/admin/pages/new", data={**TERMS, "slug": slug})
    assert answer.status_code == 200
    assert 'value="Terms of use"' in answer.text
    assert EditableHTML.query.filter(EditableHTML.title != "").count() == 0


def test_each_save_is_a_revision_that_can_be_restored(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    text = EditableHTML(editor_name="about", value="from a migration")
    db.session.add(text)
    db.session.commit()
    for value in ("one\ntwo\n<b>three", "one\n2\n<b>three", "one\n2\n<b>three"):
        save(client, value, "about")
    first, second, third = TextRevision.query.order_by(TextRevision.id)
    assert (first.value, first.author, second.author_id) == ("from a migration", None, admin.id)
    page = client.get(f"/admin/pages/{text.id}/revisions/{third.id}").text
    assert re.findall(r"<(ins|del)>(.*?)</", page) == [("del", "two"), ("ins", "2")]
    assert "&lt;b&gt;three" in page
    assert "Restore this text" not in page, "it is the present one"
    assert "Restore this text" in client.get(f"/admin/pages/{text.id}/revisions/{first.id}").text
    client.post(f"/admin/pages/{text.id}/revisions/{first.id}/restore")
    assert EditableHTML.get_editable_html("about").value == "from a migration"
    assert TextRevision.query.count() == 4
    assert AuditEvent.query.filter_by(event="page.restored").one().details == {"page": "about"}
    assert client.get(f"/admin/pages/{text.id}").text.count("What changed") == 4


def test_a_revision_of_another_page_is_not_found(client: FlaskClient, admin: User) -> None:
    save(client, "mine", "one")
    save(client, "theirs", "two")
    one, two = (EditableHTML.get_editable_html(name) for name in ("one", "two"))
    url = f"/admin/pages/{one.id}/revisions/{TextRevision.before(two).id}"
    assert client.get(url).status_code == 404
    assert client.post(f"{url}/restore").status_code == 404
    assert one.value == "mine"


def test_restoring_and_publishing_ask_for_the_password(client: FlaskClient, admin: User, db: SQLAlchemy) -> None:
    client.post("/admin/pages/new", data=TERMS)
    save(client, "one")
    page = EditableHTML.page("terms")
    revision = TextRevision.before(page)
    save(client, "two")
    make_login_old(db)
    for path in ("new", f"{page.id}/edit", f"{page.id}/revisions/{revision.id}/restore"):
        assert "/account/confirm-password" in client.post(f"/admin/pages/{path}", data=TERMS).location
    assert page.value == "two"


def test_a_difference_names_each_line_and_gives_up_on_long_texts() -> None:
    before = "\n".join("abcdefghijkl")
    lines = difference(before, before.replace("a", "A").replace("l", "L"))
    assert [(line.kind, line.text) for line in lines or [] if line.kind in ("added", "removed")] == [
        ("removed", "a"),
        ("added", "A"),
        ("removed", "l"),
        ("added", "L"),
    ]
    assert [line.kind for line in lines or []].count("gap") == 2
    assert difference("", "--- a") == [Line("gap", ""), Line("added", "--- a")]
    assert difference("same", "same") == []
    assert difference("x\n" * MOST_LINES, "x") is None
