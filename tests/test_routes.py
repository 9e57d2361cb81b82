"""Every route of the application: who may open it, that its forms are checked, and that looking changes nothing.

The routes are read from the application, so a new one is part of this at once: it fails until it
stands in ``WHO`` below.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import user_unauthorized
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from werkzeug.routing import Rule

from app import create_app
from app.email import confirm
from app.extensions import db as database
from app.models import AuditEvent, DataExport, EditableHTML, Email, Permission, Role, UserSession
from tests.factories import let_in, make_admin, make_invited, make_user, sign_in

# Who may open each endpoint. A new route: add its endpoint to the row of those it is for.
WHO = {
    "anyone": """
        main.index main.about main.robots main.sitemap main.manifest main.favicon main.up main.up_ready
        main.security_txt main.change_password
        account.confirm account.not_me account.password_strength
    """,
    "visitors": """
        account.login account.register account.reset_password_request account.reset_password
        account.join_from_invite
    """,
    "logged in": """
        account.logout account.unconfirmed account.confirm_request account.confirm_password
    """,
    "confirmed": """
        account.manage account.change_password account.change_email_request account.change_email
        account.sessions account.end_session account.end_other_sessions
        account.delete_account account.exports account.request_export account.download_export
    """,
    "who manages emails": """
        admin.emails admin.retry_email admin.cancel_email
    """,
    "who manages jobs": """
        admin.jobs admin.retry_job admin.discard_job
    """,
    "who views the audit log": """
        admin.audit
    """,
    "administrators": """
        admin.index admin.registered_users admin.user_info admin.new_user admin.invite_user
        admin.resend_invitation admin.change_user_email admin.change_account_type admin.disable_user
        admin.enable_user admin.end_user_sessions admin.delete_user_request admin.delete_user
        admin.update_editor_contents admin.preview_editor_contents
    """,
    # The mailbox shows everybody's emails: the area does not exist in production (the last test).
    "developers": """
        dev.mailbox dev.message dev.part dev.raw dev.mailbox_status dev.emails dev.preview dev.preview_html
        dev.components
    """,
}

LOGIN, HELD, HOME, FORBIDDEN, IN = "sent to log in", "held until confirmed", "sent home", "403", "let in"

# What each kind of page answers to: a stranger, an unconfirmed user, a user, a disabled one, an administrator.
PEOPLE = ("stranger", "unconfirmed", "user", "disabled", "administrator")
ANSWERS = {
    "anyone": (IN, IN, IN, IN, IN),
    "developers": (IN, IN, IN, IN, IN),
    "visitors": (IN, HOME, HOME, IN, HOME),
    "logged in": (LOGIN, IN, IN, LOGIN, IN),
    "confirmed": (LOGIN, HELD, IN, LOGIN, IN),
    "who manages emails": (LOGIN, HELD, FORBIDDEN, LOGIN, IN),
    "who manages jobs": (LOGIN, HELD, FORBIDDEN, LOGIN, IN),
    "who views the audit log": (LOGIN, HELD, FORBIDDEN, LOGIN, IN),
    "administrators": (LOGIN, HELD, FORBIDDEN, LOGIN, IN),
}
# These views themselves lead there, with a dead link or when all is done.
LEAD_TO_UNCONFIRMED = {"account.confirm", "account.confirm_request"}
KIND = {endpoint: kind for kind, endpoints in WHO.items() for endpoint in endpoints.split()}


@dataclass(frozen=True)
class Route:
    """One address with one method."""

    endpoint: str
    method: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"


def routes() -> list[Route]:
    """Answer every address and method of the application as it runs in tests and in development."""
    rules = create_app("testing").url_map.iter_rules()
    found = [
        Route(rule.endpoint, method, rule) for rule in rules for method in rule.methods or () if method != "OPTIONS"
    ]
    return sorted(found, key=str)


PRODUCTION = {
    "SECRET_KEY": "x" * 48,
    "BASE_URL": "https://kit.example.org",
    "DATABASE_URL": "sqlite://",
    "REDIS_URL": "redis://queue.example.org",
    "MAIL_SERVER": "mail.example.org",
}
# A process of its own: a second application would turn on the limits of the one under test.
PRINT_ENDPOINTS = """
from app import create_app
from config import ProductionConfig
ProductionConfig.ASSETS_AUTO_BUILD = True
print(*(rule.endpoint for rule in create_app("production").url_map.iter_rules()))
"""

ROUTES = routes()
FORM_ROUTES = [route for route in ROUTES if route.method not in {"GET", "HEAD"}]


def address(app: Flask, route: Route, **values: object) -> str:
    """Answer an address of the route; what ``values`` leave out points to nothing."""
    nothing = {
        name: 999_999 if "Integer" in type(kind).__name__ else "x" for name, kind in route.rule._converters.items()
    }
    with app.test_request_context():
        return route.rule.build({**nothing, **{name: values[name] for name in values.keys() & nothing.keys()}})[1]


def test_every_route_is_classified() -> None:
    missing = sorted({route.endpoint for route in ROUTES} - KIND.keys())
    assert not missing, f"who may open these? Say so in WHO in tests/test_routes.py: {missing}"


def test_no_route_is_classified_that_does_not_exist() -> None:
    gone = sorted(KIND.keys() - {route.endpoint for route in ROUTES})
    assert not gone, f"take these out of WHO in tests/test_routes.py: {gone}"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_who_may_open(app: Flask, db: SQLAlchemy, route: Route) -> None:
    kind = KIND.get(route.endpoint)
    assert kind, f"who may open {route.endpoint}? Say so in WHO in tests/test_routes.py"
    answers = {person: outcome(enter(app.test_client(), person), app, route) for person in PEOPLE}
    assert answers == dict(zip(PEOPLE, ANSWERS[kind], strict=True))


@pytest.mark.parametrize(
    ("kind", "permission"),
    [
        ("who manages emails", "MANAGE_EMAILS"),
        ("who manages jobs", "MANAGE_JOBS"),
        ("who views the audit log", "VIEW_AUDIT_LOG"),
    ],
)
def test_a_single_permission_opens_its_pages_and_no_other(
    app: Flask, db: SQLAlchemy, kind: str, permission: str
) -> None:
    role = Role(name=permission, index="main", permissions=Permission.GENERAL | Permission[permission])
    db.session.add(role)
    db.session.commit()
    client = app.test_client()
    sign_in(client, make_user(role.name))
    opened = {
        route.endpoint for route in ROUTES if route.endpoint.startswith("admin.") and outcome(client, app, route) == IN
    }
    role.users.delete()
    db.session.delete(role)
    db.session.commit()
    assert opened == {endpoint for endpoint, its_kind in KIND.items() if its_kind == kind}


def enter(client: FlaskClient, person: str) -> FlaskClient:
    """Answer the client as the browser of such a person."""
    if person == "stranger":
        return client
    user = make_admin() if person == "administrator" else make_user(confirmed=person != "unconfirmed")
    let_in(client, user)
    if person == "disabled":
        # The session stays behind on purpose: disabling alone has to close every door.
        user.disable("test")
        database.session.commit()
    return client


def outcome(client: FlaskClient, app: Flask, route: Route) -> str:
    """Answer what became of a request, in one of the words above."""
    refusals: list[Flask] = []
    with user_unauthorized.connected_to(refusals.append, app):
        response = client.open(address(app, route), method=route.method)
    assert response.status_code < 500 or route.endpoint == "main.up_ready", f"{route}: {response.status}"
    if response.status_code == 403:
        return FORBIDDEN
    if refusals:
        return LOGIN
    if response.location == "/account/unconfirmed" and route.endpoint not in LEAD_TO_UNCONFIRMED:
        return HELD
    sends_visitors_home = KIND[route.endpoint] == "visitors" and response.location == "/"
    return HOME if sends_visitors_home else IN


@pytest.mark.parametrize("person", ["stranger", "administrator"])
@pytest.mark.parametrize("route", FORM_ROUTES, ids=str)
def test_nothing_is_sent_without_the_token_of_our_own_page(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, person: str, route: Route
) -> None:
    enter(client, person)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    for form in ({}, {"csrf_token": "forged"}):
        response = client.open(address(app, route), method=route.method, data=form)
        assert response.status_code == 400
        assert "This form has expired" in response.text


@pytest.mark.parametrize("person", ["stranger", "user", "administrator"])
def test_looking_changes_no_row(app: Flask, client: FlaskClient, db: SQLAlchemy, person: str) -> None:
    """Mail scanners, browsers and crawlers open links by themselves, with valid tokens and real ids."""
    enter(client, person)
    values = fill_database(db)
    changed = {}
    for route in ROUTES:
        if route.method in {"GET", "HEAD"}:
            before = rows(db)
            for address_of_row in addresses(app, route, values):
                client.open(address_of_row, method=route.method)
            changed[str(route)] = rows(db) != before
    assert len(changed) > 40
    assert not [route for route, has_changed in changed.items() if has_changed], "only a POST may change a row"


def fill_database(db: SQLAlchemy) -> dict[str, list[object]]:
    """Make rows of every kind; answers what addresses may name."""
    user, unconfirmed, invited = make_user(), make_user(confirmed=False), make_invited()
    UserSession.start(user, False, "203.0.113.7", "a browser")
    confirm.send(unconfirmed)
    db.session.add_all([EditableHTML(editor_name="about", value="Hello"), DataExport(user_id=user.id, content="{}")])
    AuditEvent.record("user.disabled", subject=user)
    db.session.commit()
    return {
        "user_id": [user.id, invited.id],
        "token": [
            unconfirmed.generate_confirmation_token(),
            user.generate_password_reset_token(),
            user.generate_email_change_token("new@example.org"),
            user.generate_not_me_token(user.email),
            invited.generate_invitation_token(),
        ],
        "export_id": [db.session.scalar(select(DataExport.id))],
        "email_id": [db.session.scalar(select(Email.id))],
    }


def addresses(app: Flask, route: Route, values: dict[str, list[object]]) -> Iterator[str]:
    """Answer the route's addresses with every row and token that fits it."""
    for token in values["token"] if "token" in route.rule.arguments else [None]:
        for user_id in values["user_id"] if "user_id" in route.rule.arguments else [None]:
            known = {
                "token": token,
                "user_id": user_id,
                "export_id": values["export_id"][0],
                "email_id": values["email_id"][0],
            }
            yield address(app, route, **{name: value for name, value in known.items() if value is not None})


def rows(db: SQLAlchemy) -> dict[str, list[tuple[object, ...]]]:
    """Answer everything that stands in the database."""
    db.session.expire_all()
    tables = {
        table.name: sorted(map(tuple, db.session.execute(select(table))), key=repr)
        for table in db.metadata.sorted_tables
    }
    db.session.rollback()
    return tables


def test_the_walk_sees_a_view_that_writes(db: SQLAlchemy) -> None:
    user = make_user()
    before = rows(db)
    user.last_name = "Changed"
    db.session.commit()
    assert rows(db) != before


def test_production_has_no_pages_for_developers() -> None:
    printed = subprocess.run([sys.executable, "-c", PRINT_ENDPOINTS], env=PRODUCTION, capture_output=True, check=True)
    endpoints = set(printed.stdout.decode().split())
    assert endpoints == {endpoint for endpoint in KIND if not endpoint.startswith("dev.")}
