"""Terms of service and privacy policy: the box to tick, what is recorded, and asking again."""

import json
from collections.abc import Callable

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import setup
from app.consent import HAS_CHANGED, NEVER_ASKED, NOT_TICKED
from app.extensions import cache
from app.extensions import db as database
from app.kit.db.database import utc_now
from app.models import AuditEvent, Consent, DataExport, EditableHTML, TextRevision, User
from app.models.consent import documents, documents_due
from tests.account.test_enumeration import KNOWN, UNKNOWN, observed
from tests.account.test_registration import FORM
from tests.factories import PASSWORD, browser_of, make_admin, make_invited, make_user
from tests.html_forms import forms_on
from tests.queries import recorded_queries

PROFILE_PAGE = "/account/manage/profile"
PROFILE = {"first_name": "Ada", "last_name": "King", "nickname": "Countess", "time_zone": "", "about": "Numbers"}


@pytest.fixture
def terms(db: SQLAlchemy) -> EditableHTML:
    """Publish both documents, and return the terms of service."""
    setup.insert_documents()
    for page in EditableHTML.query:
        page.published = True
        TextRevision.write(page, f"Our {page.editor_name}", None)
    db.session.commit()
    return EditableHTML.get_editable_html("terms")


def change(page: EditableHTML, text: str, *, asks_again: bool) -> None:
    """Save a text as an administrator does who has agreed to the present one."""
    app, admin = current_app._get_current_object(), make_admin()
    with app.test_request_context():
        Consent.record(admin.id, "asked again", documents())
        database.session.commit()
    form = {"editor_name": page.editor_name, "edit_data": text, **({"asks_again": "y"} if asks_again else {})}
    browser_of(app, admin).post("/admin/_update_editor_contents", data=form)
    database.session.refresh(page)
    assert page.value == text


def box(page: str) -> str:
    """Return the value that the box on a page sends when it is ticked."""
    return next(form.values["consent"] for form in forms_on(page) if "consent" in form.values)


def is_ticked(page: str) -> bool:
    """Return whether the box is drawn as ticked."""
    return " checked" in next(line for line in page.splitlines() if 'name="consent"' in line)


def consents(db: SQLAlchemy) -> list[Consent]:
    return list(db.session.scalars(select(Consent).order_by(Consent.id)))


def test_who_signs_up_agrees_to_what_the_page_showed(client: FlaskClient, db: SQLAlchemy, terms: EditableHTML) -> None:
    page = client.get("/account/register").text
    assert 'href="/pages/terms" target="_blank"' in page
    assert 'href="/pages/privacy" target="_blank"' in page
    assert not is_ticked(page)
    client.post("/account/register", data={**FORM, "consent": box(page)}, environ_base={"REMOTE_ADDR": "203.0.113.7"})
    user = User.with_email(FORM["email"])
    first, second = consents(db)
    assert (first.document, second.document) == ("terms", "privacy")
    assert (first.user_id, first.how, first.ip_address, first.digest) == (
        user.id,
        "sign-up",
        "203.0.113.7",
        terms.fingerprint,
    )
    assert db.session.get(TextRevision, first.revision_id).value == "Our terms"


def test_a_box_that_is_not_ticked_is_asked_for_and_nothing_typed_is_lost(
    client: FlaskClient, terms: EditableHTML
) -> None:
    page = client.post("/account/register", data=FORM).text
    assert NOT_TICKED in page
    assert f'value="{FORM["email"]}"' in page
    assert User.with_email(FORM["email"]) is None


def test_consent_to_a_text_that_changed_meanwhile_does_not_count(client: FlaskClient, terms: EditableHTML) -> None:
    ticked = {"consent": box(client.get("/account/register").text)}
    page = client.post("/account/register", data={**FORM, **ticked, "password2": "different"}).text
    assert is_ticked(page), "another mistake does not take the visitor's own tick away"
    change(terms, "Our new terms", asks_again=False)
    page = client.post("/account/register", data={**FORM, **ticked}).text
    assert HAS_CHANGED in page
    assert not is_ticked(page)
    for forged in ("y", "true", "\ud800".encode("utf-8", "surrogatepass"), "x" * 5000):
        assert client.post("/account/register", data={**FORM, "consent": forged}).status_code == 200
    assert User.with_email(FORM["email"]) is None


def test_the_newest_sign_up_counts_and_a_stranger_never_agrees_for_an_owner(
    client: FlaskClient, db: SQLAlchemy, terms: EditableHTML
) -> None:
    ticked = {"consent": box(client.get("/account/register").text)}
    for network in ("203.0.113.7", "198.51.100.1"):
        client.post("/account/register", data={**FORM, **ticked}, environ_base={"REMOTE_ADDR": network})
    assert [consent.ip_address for consent in consents(db)] == ["198.51.100.1"] * 2
    owner = make_user()
    client.post("/account/register", data={**FORM, **ticked, "email": owner.email})
    assert not Consent.of(owner)


def test_a_known_and_an_unknown_address_look_alike(
    app: Flask, client: FlaskClient, terms: EditableHTML, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticked = {"consent": box(client.get("/account/register").text)}

    def register(browser: FlaskClient, address: str) -> TestResponse:
        return browser.post("/account/register", data={**FORM, **ticked, "email": address})

    make_user(email=KNOWN)
    register(client, "warm@example.org")
    for_known = observed(app, app.test_client(), register, KNOWN, monkeypatch)
    assert for_known == observed(app, app.test_client(), register, UNKNOWN, monkeypatch)
    assert sum("consents" in statement for statement in for_known["statements"]) == 3


def test_an_invited_user_agrees_too(client: FlaskClient, db: SQLAlchemy, terms: EditableHTML) -> None:
    user = make_invited()
    link = f"/account/join-from-invite/{user.id}/{user.generate_invitation_token()}"
    form = {"password": FORM["password"], "password2": FORM["password"]}
    assert NOT_TICKED in client.post(link, data=form).text
    client.post(link, data={**form, "consent": box(client.get(link).text)})
    assert [(consent.user_id, consent.how) for consent in consents(db)] == [(user.id, "invitation")] * 2


def without_documents(_app: Flask, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(_app.config, "CONSENT_DOCUMENTS", {})


def with_drafts(_app: Flask, _patch: pytest.MonkeyPatch) -> None:
    for page in EditableHTML.query:
        page.published = False
    database.session.commit()


def test_a_form_costs_visitors_no_query_and_shows_a_new_document_soon(
    client: FlaskClient, db: SQLAlchemy, terms: EditableHTML
) -> None:
    before = box(client.get("/account/register").text)
    change(terms, "Our new terms", asks_again=False)
    with recorded_queries(db.engine) as queries:
        assert box(client.get("/account/register").text) == before
    assert queries == []
    cache.clear()  # as after ten seconds
    after = box(client.get("/account/register").text)
    assert after != before
    assert client.post("/account/register", data={**FORM, "consent": after}).status_code == 302


@pytest.mark.parametrize("switch_off", [without_documents, with_drafts])
def test_without_documents_nobody_is_asked(
    app: Flask,
    client: FlaskClient,
    terms: EditableHTML,
    monkeypatch: pytest.MonkeyPatch,
    switch_off: Callable[[Flask, pytest.MonkeyPatch], None],
) -> None:
    change(terms, "Our new terms", asks_again=True)
    switch_off(app, monkeypatch)
    assert 'name="consent"' not in client.get("/account/register").text
    assert client.post("/account/register", data=FORM).status_code == 302
    assert browser_of(app, make_user()).post(PROFILE_PAGE, data=PROFILE).location == PROFILE_PAGE


def test_setup_makes_drafts_that_the_dashboard_complains_about(
    client: FlaskClient, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.insert_documents()
    setup.insert_documents()
    assert [page.published for page in EditableHTML.query] == [False, False]
    assert not documents()
    admin = browser_of(client.application, make_admin())
    assert "The page “Terms of service” is still a sample." in admin.get("/admin/").text
    assert "Sample text" in admin.get("/pages/privacy").text
    change(EditableHTML.get_editable_html("terms"), "Our own", asks_again=False)
    assert "“Terms of service” is still a sample" not in admin.get("/admin/").text
    monkeypatch.setitem(client.application.config, "NAME", "development")
    db.session.query(EditableHTML).delete()
    setup.insert_documents()
    assert [document.name for document in documents()] == ["terms", "privacy"]


def test_a_corrected_comma_asks_nobody(app: Flask, terms: EditableHTML) -> None:
    user = make_user()
    change(terms, "Our, terms", asks_again=False)
    assert not documents_due(user)
    change(terms, "Our, terms", asks_again=True)
    assert [document.name for document in documents_due(user)] == ["terms"]


def test_a_change_waits_for_consent_and_keeps_what_was_typed(app: Flask, db: SQLAlchemy, terms: EditableHTML) -> None:
    user = make_user()
    browser = browser_of(app, user)
    change(terms, "Our new terms", asks_again=True)
    assert browser.get(PROFILE_PAGE).status_code == 200, "reading needs no consent"
    stopped = browser.post(PROFILE_PAGE, data=PROFILE)
    assert stopped.location == f"/account/agree?next={PROFILE_PAGE}"
    page = browser.get(stopped.location).text
    assert "/pages/terms" in page
    assert "/pages/privacy" not in page, "it has not changed"
    assert NOT_TICKED in browser.post(stopped.location, data={}).text
    back = browser.post(stopped.location, data={"consent": box(page)})
    assert back.location == PROFILE_PAGE
    assert 'value="Countess"' in browser.get(back.location).text
    db.session.refresh(user)
    assert user.nickname != "Countess", "the user sends the form again"
    assert browser.post(PROFILE_PAGE, data=PROFILE).location == PROFILE_PAGE
    assert [(consent.how, consent.document) for consent in Consent.of(user)] == [("asked again", "terms")]
    assert AuditEvent.query.filter_by(event="consent.given").one().details == {"documents": "Terms of service"}
    assert browser.get("/account/agree").location == "/"
    assert "What you agreed to" in browser.get("/account/manage/export").text
    change(terms, "Our newest terms", asks_again=True)
    assert documents_due(user), "each revision that asks needs its own consent"


def test_consent_to_an_older_revision_is_none_to_the_one_that_asks(
    app: Flask, db: SQLAlchemy, terms: EditableHTML
) -> None:
    """Also if it is recorded later: the visitor saw the older text."""
    user, [old, _privacy] = make_user(), documents()
    change(terms, "Our new terms", asks_again=True)
    with app.test_request_context():
        Consent.record(user.id, "sign-up", [old])
    db.session.commit()
    assert documents_due(user)


def test_leaving_is_never_held_up(app: Flask, terms: EditableHTML) -> None:
    change(terms, "Our new terms", asks_again=True)
    assert app.view_functions.keys() >= NEVER_ASKED
    for path, form in (
        ("/account/manage/export", {}),
        ("/account/sessions/end-others", {}),
        ("/account/confirm-password", {"password": PASSWORD}),
        ("/account/confirm-password/code", {}),
        ("/account/logout", {}),
        ("/account/manage/delete", {"password": PASSWORD}),
    ):
        answer = browser_of(app, make_user()).post(path, data=form)
        assert answer.status_code == 302, path
        assert "agree" not in answer.location, path
    assert browser_of(app, make_user()).post("/account/confirm-password/passkey").is_json


def test_a_script_is_told_instead_of_redirected(app: Flask, terms: EditableHTML) -> None:
    browser = browser_of(app, make_admin())
    change(terms, "Our new terms", asks_again=True)
    form = {"editor_name": "about", "edit_data": "x" * 5000}
    answer = browser.post("/admin/_update_editor_contents", data=form, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["page"]) == (403, "/account/agree")
    assert browser.post("/admin/_preview_editor_contents", data=form).status_code == 200


def test_nobody_agrees_for_somebody_else(app: Flask, terms: EditableHTML) -> None:
    """An administrator who looks at the site as the user is refused, also where that one would be asked."""
    user, browser = make_user(), browser_of(app, make_admin())
    browser.post(f"/admin/user/{user.id}/impersonate", data={"reason": "a test"})
    change(terms, "Our new terms", asks_again=True)
    assert browser.get("/account/agree").status_code == 403
    assert browser.post("/account/agree", data={"consent": "y"}).status_code == 403
    assert browser.post(PROFILE_PAGE, data=PROFILE).status_code == 403
    assert not Consent.of(user)


def test_export_and_administration_show_it(app: Flask, db: SQLAlchemy, terms: EditableHTML) -> None:
    user = make_user()
    with app.test_request_context(environ_base={"REMOTE_ADDR": "203.0.113.7"}):
        Consent.record(user.id, "invitation", documents())
    export = DataExport(user=user, created_at=utc_now())
    export.write()
    [_privacy, in_export] = json.loads(export.content)["consents"]
    assert (in_export["document"], in_export["text_sha256"]) == ("terms", terms.fingerprint)
    assert (in_export["how"], in_export["ip_address"]) == ("invitation", "203.0.113.7")
    page = browser_of(app, make_admin()).get(f"/admin/user/{user.id}").text
    assert "Agreed to" in page
    assert terms.fingerprint[:12] in page
    assert f'href="/admin/pages/{terms.id}/revisions/{in_export["revision"]}"' in page
    db.session.delete(user)
    db.session.commit()
    assert not consents(db), "consent goes with the account"


def test_only_documents_can_ask_and_the_log_says_so(client: FlaskClient, terms: EditableHTML) -> None:
    about = EditableHTML(editor_name="about", value="About")
    database.session.add(about)
    database.session.commit()
    change(about, "About us", asks_again=True)
    assert TextRevision.query.filter_by(asks_again=True).count() == 0
    change(terms, "Our new terms", asks_again=True)
    assert AuditEvent.query.filter_by(event="page.asks_again").one().details == {"page": "terms"}
    admin = browser_of(client.application, make_admin())
    assert "everybody was asked again" in admin.get(f"/admin/pages/{terms.id}").text
    assert 'name="asks_again"' in admin.get("/pages/terms").text
    assert 'name="asks_again"' not in admin.get("/about").text
