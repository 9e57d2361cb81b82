"""Tests for the editable page: saved as written, sanitized when shown."""

import re

import pytest
from flask.testing import FlaskClient

from app.models import AuditEvent, EditableHTML, User
from tests.factories import make_user, sign_in

SAVE, PREVIEW = "/admin/_update_editor_contents", "/admin/_preview_editor_contents"
SCRIPT = {"Accept": "application/json"}


def form(text: str, name: str = "about") -> dict[str, str]:
    """Return the form data that the editor sends."""
    return {"editor_name": name, "edit_data": text}


def test_a_saved_text_shows_to_everybody(client: FlaskClient, admin: User) -> None:
    answer = client.post(SAVE, data=form("# Who we are"), headers={"Referer": "http://localhost/about"})
    assert answer.location == "/about"
    assert "<h1>Who we are</h1>" in client.application.test_client().get("/about").text
    assert AuditEvent.query.filter_by(event="page.edited").count() == 1


def test_saving_again_replaces(client: FlaskClient, admin: User) -> None:
    client.post(SAVE, data=form("one"))
    client.post(SAVE, data=form("two"))
    assert [piece.value for piece in EditableHTML.query] == ["two"]


def test_two_first_saves_at_once(client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = EditableHTML(value="").fingerprint
    client.post(SAVE, data=form("theirs"))
    find, looks = EditableHTML.get_editable_html, []

    def see_nothing_at_first(name: str) -> EditableHTML:
        looks.append(name)
        return find(name) if len(looks) > 1 else EditableHTML(editor_name=name, value="")

    monkeypatch.setattr(EditableHTML, "get_editable_html", staticmethod(see_nothing_at_first))
    assert client.post(SAVE, data=form("mine") | {"seen": nothing}, headers=SCRIPT).status_code == 409
    assert [piece.value for piece in EditableHTML.query] == ["theirs"]


def test_the_second_of_two_tabs_sees_both_texts_and_chooses(client: FlaskClient, admin: User) -> None:
    client.post(SAVE, data=form("first"))
    tab = sent_by(client.get("/about").text)
    assert client.post(SAVE, data=tab | {"edit_data": "theirs"}).location == "/about"
    assert client.post(SAVE, data=tab | {"edit_data": "mine"}, headers=SCRIPT).status_code == 409
    both = client.post(SAVE, data=tab | {"edit_data": "mine"})
    assert both.status_code == 409
    assert "Somebody has changed this text meanwhile" in both.text
    assert ">theirs</pre>" in both.text
    assert EditableHTML.get_editable_html("about").value == "theirs"
    assert client.post(SAVE, data=sent_by(both.text)).location == "/about"
    assert EditableHTML.get_editable_html("about").value == "mine"


def sent_by(page: str) -> dict[str, str]:
    """Return what the page's editor would send."""
    found = dict(re.findall(r'name="(seen|page|editor_name)"[^>]* value="([^"]*)"', page))
    typed = re.search(r"<textarea[^>]*>\s*(.*?)</textarea>", page, re.DOTALL)
    assert typed is not None
    return {**found, "edit_data": typed[1]}


def test_an_image_that_the_policy_blocks_is_named_when_saving(client: FlaskClient, admin: User) -> None:
    text = "![a](https://cdn.example/a.png) ![b](/static/b.png) ![c](http://localhost/c.png)"
    page = client.post(SAVE, data=form(text), follow_redirects=True)
    assert "Nobody will see https://cdn.example/a.png:" in page.text
    assert "b.png" not in re.findall("Nobody will see[^<]*", page.text)[0]


def test_an_image_that_the_policy_allows_is_not_named(
    client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = client.application.config["CONTENT_SECURITY_POLICY"]
    monkeypatch.setitem(policy, "img-src", ["'self'", "https://*.example"])
    assert "Nobody" not in client.post(SAVE, data=form("![a](https://cdn.example/a.png)"), follow_redirects=True).text


def test_cancel_leads_back(client: FlaskClient, admin: User) -> None:
    assert '<a class="button" href="/about">Cancel</a>' in client.get("/about").text


def test_a_script_that_is_saved_never_runs(client: FlaskClient, admin: User) -> None:
    client.post(SAVE, data=form("Hello <script>alert(1)</script><b onclick='go()'>you</b>"))
    page = client.application.test_client().get("/about").text
    assert "<b>you</b>" in page
    assert "alert(1)" not in page


def test_a_script_of_the_page_hears_how_it_went(client: FlaskClient, admin: User) -> None:
    assert client.post(SAVE, data=form("fine"), headers=SCRIPT).status_code == 204
    refused = client.post(SAVE, data=form("x" * 100_001), headers=SCRIPT)
    assert refused.status_code == 422
    assert "100,000 characters" in refused.json["error"]
    assert EditableHTML.get_editable_html("about").value == "fine"


@pytest.mark.parametrize("path", [SAVE, PREVIEW])
def test_a_text_that_would_keep_a_worker_busy_is_refused_and_still_there(
    client: FlaskClient, admin: User, path: str
) -> None:
    text = "- item\n" * 4_000
    assert "too many parts" in client.post(path, data=form(text), headers=SCRIPT).json["error"]
    without_scripts = client.post(path, data=form(text))
    assert without_scripts.status_code == 422
    assert "too many parts" in without_scripts.text
    assert text in without_scripts.text
    assert EditableHTML.query.count() == 0


def test_without_scripts_a_refused_text_is_still_there(client: FlaskClient, admin: User) -> None:
    refused = client.post(SAVE, data=form("y" * 100_001))
    assert refused.status_code == 422
    assert "y" * 100_001 in refused.text


def test_names_and_texts_that_no_database_takes(client: FlaskClient, admin: User) -> None:
    refused = client.post(SAVE, data=form("a\x00b"), headers=SCRIPT)
    assert refused.status_code == 422
    assert "cannot be stored" in refused.json["error"]
    assert EditableHTML.get_editable_html("about").value == ""
    for name in ("", "n" * 101, "\x00"):
        assert client.post(SAVE, data=form("x", name), headers=SCRIPT).status_code == 422


def test_the_preview_shows_and_stores_nothing(client: FlaskClient, admin: User) -> None:
    answer = client.post(PREVIEW, data=form("**bold**<script>x</script>"), headers=SCRIPT)
    assert answer.text.strip() == "<p><strong>bold</strong></p>"
    assert EditableHTML.query.count() == 0


def test_others_neither_edit_nor_see_the_editor(client: FlaskClient) -> None:
    sign_in(client, make_user())
    assert client.post(SAVE, data=form("mine")).status_code == 403
    assert "edit_data" not in client.get("/about").text
