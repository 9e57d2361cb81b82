"""An unlocked computer or a stolen cookie is not enough to change anything in the admin area."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.routing import Rule

from app.extensions import db
from app.kit.db.database import utc_now
from app.models import AuditEvent, EditableHTML, User, UserSession
from tests.factories import PASSWORD
from tests.html_forms import forms_on
from tests.test_routes import ROUTES

SAVE = "/admin/_update_editor_contents"
SCRIPT = {"Accept": "application/json"}
LONG = "A long text that nobody wants to type again.\n\n" * 2_000
# They change nothing.
EXEMPT = {"admin.preview_editor_contents", "admin.stop_impersonating"}


def changes() -> list[Rule]:
    """Return the routes of the admin area that change something, including those of a fork."""
    found = [route for route in ROUTES if route.endpoint.startswith("admin.") and route.method == "POST"]
    return [route.rule for route in found if route.endpoint not in EXEMPT]


@pytest.fixture
def stale(client: FlaskClient, admin: User) -> FlaskClient:
    """Return a browser whose administrator last gave the password sixteen minutes ago."""
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now() - timedelta(minutes=16)))
    db.session.commit()
    return client


@pytest.mark.parametrize("rule", changes(), ids=str)
def test_every_change_asks_for_the_password_again(app: Flask, stale: FlaskClient, rule: Rule) -> None:
    with app.test_request_context():
        address = rule.build(dict.fromkeys(rule.arguments, 1))[1]
    known = db.session.scalar(select(func.count()).select_from(AuditEvent))
    response = stale.post(address, data={"editor_name": "about", "edit_data": "x"}, headers=SCRIPT)
    page = response.json["page"] if response.status_code == 403 and response.is_json else response.location
    assert (page or "").startswith("/account/confirm-password"), "decorate the view with sudo_required"
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == known


def test_a_long_text_stays_in_its_form_until_it_is_saved(stale: FlaskClient) -> None:
    stopped = stale.post(SAVE, data={"editor_name": "about", "edit_data": LONG})
    assert stopped.status_code == 403
    assert LONG in stopped.text
    assert 'href="/account/confirm-password?next=/" target="_blank"' in stopped.text
    assert EditableHTML.query.count() == 0
    stale.post("/account/confirm-password", data={"password": PASSWORD})
    [form] = [form for form in forms_on(stopped.text) if "edit_data" in form.values]
    saved = stale.post(SAVE, data=form.values, headers={"Referer": f"http://localhost{SAVE}"})
    assert saved.location == "/", "the form stood on an address that nobody can open"
    assert EditableHTML.get_editable_html("about").value.split() == LONG.split()


def test_a_script_is_told_where_to_give_the_password(stale: FlaskClient) -> None:
    form = {"editor_name": "about", "edit_data": LONG}
    stopped = stale.post(SAVE, data=form, headers={**SCRIPT, "Referer": "http://localhost/about"})
    assert (stopped.status_code, stopped.json["page"]) == (403, "/account/confirm-password?next=/about")
    stale.post(stopped.json["page"], data={"password": PASSWORD})
    assert stale.post(SAVE, data=form, headers=SCRIPT).status_code == 204
