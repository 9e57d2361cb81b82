"""Every route of the application: who may open it, whether its forms are checked, and that a GET changes nothing.

The routes are read from the application, so a new route fails until it is in ``WHO`` below, or in ``WHO`` in
``tests/<area>/routes.py`` (see areas.py).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import user_unauthorized
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from werkzeug.routing import Rule as UrlRule

from app import create_app
from app.access import ANYONE, NEWCOMERS, UNCONFIRMED, USERS, VISITORS, Rule, Who, rule_of
from app.email import confirm
from app.extensions import db as database
from app.models import AuditEvent, DataExport, EditableHTML, Email, Permission, Role, User, UserSession
from app.newcomer import SESSION_KEY as NEWCOMER_KEY
from tests import areas
from tests.factories import let_in, make_admin, make_invited, make_user, sign_in
from tests.servers.forking import ForkedProcess

# Who may open each endpoint. A new route of the kit: add its endpoint to the row of those who may open it.
WHO: dict[Rule, str] = {
    ANYONE: """
        main.index main.about main.page main.robots main.sitemap main.manifest main.favicon main.up main.up_ready
        main.up_doctor main.metrics_page main.security_txt main.change_password
        account.confirm account.keep_second_factors account.not_me
        account.password_strength account.picture_file account.reset_password
        account.join_from_invite
        account.mailed_code_link
        account.provider_callback
        dev.mailbox dev.message dev.part dev.raw dev.mailbox_status dev.emails dev.preview dev.preview_html
        dev.components dev.migrate
    """,
    VISITORS: """
        account.login account.register account.reset_password_request account.second_factor
        account.login_with_passkey account.second_factor_passkey
        account.mailed_code_request account.mailed_code
        account.log_in_with_provider account.register_with_provider
    """,
    UNCONFIRMED: """
        account.logout account.confirm_password account.sudo_code
        account.confirm_passkey
        account.agree
    """,
    NEWCOMERS: """
        account.unconfirmed account.confirm_request
    """,
    USERS: """
        account.authenticator_app account.remove_authenticator_app
        account.recovery_codes account.download_recovery_codes
        account.manage account.change_password account.remove_password account.change_email_request account.change_email
        account.profile account.security account.sessions account.end_session account.end_other_sessions
        account.delete_account account.exports account.request_export account.download_export
        account.new_passkey account.rename_passkey account.remove_passkey
        account.link_provider account.unlink_identity
        account.picture account.remove_own_picture admin.stop_impersonating
    """,
    Permission.MANAGE_EMAILS: """
        admin.emails admin.retry_email admin.cancel_email
    """,
    Permission.MANAGE_JOBS: """
        admin.jobs admin.retry_job admin.discard_job
    """,
    Permission.VIEW_AUDIT_LOG: """
        admin.audit
    """,
    Permission.VIEW_DASHBOARD: """
        admin.index
    """,
    Permission.VIEW_USERS: """
        admin.registered_users admin.user_info admin.bulk_tasks admin.new_bulk_task admin.bulk_task
        admin.cancel_bulk_task admin.download_users
    """,
    Permission.CHANGE_USERS: """
        admin.new_user admin.invite_user admin.resend_invitation admin.resend_confirmation admin.force_password_reset
        admin.change_user_name admin.change_user_email
        admin.end_user_sessions
    """,
    Permission.DISABLE_USERS: """
        admin.disable_user admin.enable_user
    """,
    Permission.DELETE_USERS: """
        admin.delete_user_request admin.delete_user
    """,
    Permission.CHANGE_ROLES: """
        admin.change_account_type admin.roles admin.new_role admin.change_role admin.make_default_role
        admin.delete_role
    """,
    Permission.IMPERSONATE: """
        admin.impersonate
    """,
    Permission.REMOVE_FACTORS: """
        admin.remove_second_factors admin.keep_second_factors
    """,
    Permission.CHANGE_PAGES: """
        admin.update_editor_contents admin.preview_editor_contents
        admin.pages admin.new_page admin.page_info admin.edit_page admin.page_revision admin.restore_revision
    """,
}

LOGIN, HELD, HOME, FORBIDDEN, IN = "sent to log in", "held until confirmed", "sent home", "403", "let in"

# The outcome for a visitor, one whose browser signed up, a logged-in unconfirmed user, a user, a disabled one, and an
# administrator.
PEOPLE = ("visitor", "newcomer", "unconfirmed", "user", "disabled", "administrator")
ANSWERS: dict[Rule, tuple[str, ...]] = {
    ANYONE: (IN, IN, IN, IN, IN, IN),
    VISITORS: (IN, IN, HOME, HOME, IN, HOME),
    UNCONFIRMED: (LOGIN, LOGIN, IN, IN, LOGIN, IN),
    NEWCOMERS: (LOGIN, IN, IN, IN, LOGIN, IN),
    USERS: (LOGIN, LOGIN, HELD, IN, LOGIN, IN),
}
NEEDS_PERMISSION = (LOGIN, LOGIN, HELD, FORBIDDEN, LOGIN, IN)
# An administrator who looks at the site as a user is let in where the user is, only to look, and not into the account.
IMPERSONATOR = "administrator who sees the site as a user"
SHOWN_TO_IMPERSONATORS = {"account.manage", "account.picture_file"}
WAYS_BACK = {"admin.stop_impersonating", "account.logout"}
# These views themselves redirect there, for a dead link or when they are done.
LEAD_TO_UNCONFIRMED = {"account.confirm", "account.confirm_request"}
OF_THE_KIT = {endpoint: rule for rule, endpoints in WHO.items() for endpoint in endpoints.split()}
RULES = OF_THE_KIT | areas.rules()
PERMISSIONS = sorted({int(rule) for rule in RULES.values() if not isinstance(rule, Who)} - {int(Permission.ADMINISTER)})


@dataclass(frozen=True)
class Route:
    """A URL rule with one method."""

    endpoint: str
    method: str
    rule: UrlRule

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"


def routes() -> list[Route]:
    """Return every URL rule and method of the application as it runs in tests and in development."""
    rules = create_app("testing").url_map.iter_rules()
    found = [
        Route(rule.endpoint, method, rule) for rule in rules for method in rule.methods or () if method != "OPTIONS"
    ]
    return sorted(found, key=str)


PRODUCTION = {
    "SECRET_KEY": "x" * 48,
    "DATA_KEYS": "y" * 48,
    "BASE_URL": "https://kit.example.org",
    "DATABASE_URL": "sqlite://",
    "REDIS_URL": "redis://queue.example.org",
    "MAIL_SERVER": "mail.example.org",
}
ROUTES = routes()
FORM_ROUTES = [route for route in ROUTES if route.method not in {"GET", "HEAD"}]


def address(route: Route, **values: object) -> str:
    """Return a URL of the route; variables missing in ``values`` get a value that matches no row."""
    nothing = {
        name: 999_999 if "Integer" in type(kind).__name__ else "x" for name, kind in route.rule._converters.items()
    }
    return route.rule.build({**nothing, **{name: values[name] for name in values.keys() & nothing.keys()}})[1]


def test_every_route_is_classified() -> None:
    missing = sorted({route.endpoint for route in ROUTES} - RULES.keys())
    assert not missing, f"who may open these? Say so in WHO in {table_of(missing[0])}: {missing}"


def table_of(endpoint: str) -> str:
    """Return the file whose table should have an endpoint: this one for the kit's own areas."""
    area = endpoint.partition(".")[0]
    is_of_the_kit = area in {known.partition(".")[0] for known in OF_THE_KIT}
    return f"tests/{area}/routes.py" + (", or tests/test_routes.py" if is_of_the_kit else "")


def test_no_area_changes_who_may_open_a_page_of_the_kit() -> None:
    both = sorted(areas.rules().keys() & OF_THE_KIT.keys())
    assert not both, f"tests/test_routes.py says already who may open {both}; change it there"


def test_a_missing_row_is_asked_for_where_it_belongs() -> None:
    assert table_of("notes.index") == "tests/notes/routes.py"
    assert table_of("main.team") == "tests/main/routes.py, or tests/test_routes.py"


def test_no_route_is_classified_that_does_not_exist() -> None:
    gone = sorted(RULES.keys() - {route.endpoint for route in ROUTES})
    assert not gone, f"take these out of WHO in {table_of(gone[0])}: {gone}"


def test_the_decorators_say_the_same_as_this_table(app: Flask) -> None:
    with app.app_context():
        assert {endpoint: rule_of(endpoint) for endpoint in RULES} == RULES


def test_a_view_that_says_nothing_is_for_users(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for endpoint in ("forgotten", "main.forgotten"):
        monkeypatch.setitem(app.view_functions, endpoint, lambda: "secret")
        with app.app_context():
            assert rule_of(endpoint) is USERS


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_open(app: Flask, db: SQLAlchemy, person: str) -> None:
    client = enter(app.test_client(), person)
    answers, expected = {}, {}
    for route in ROUTES:
        answer = answers[str(route)] = outcome(client, app, route)
        expected[str(route)] = ANSWERS.get(RULES[route.endpoint], NEEDS_PERMISSION)[PEOPLE.index(person)]
        if answer == IN and route.method not in {"GET", "HEAD"}:
            # It may have ended the session, or changed what this person may open.
            client = enter(app.test_client(), person)
    assert answers == expected


@pytest.mark.parametrize("permission", PERMISSIONS, ids=hex)
def test_a_single_permission_opens_its_pages_and_no_other(app: Flask, db: SQLAlchemy, permission: int) -> None:
    role = Role(name="One permission", index="main", permissions=Permission.GENERAL | permission)
    db.session.add(role)
    db.session.commit()
    client = app.test_client()
    sign_in(client, make_user(role.name))
    # That HEAD is guarded as GET is, test_who_may_open shows.
    guarded = [route for route in ROUTES if route.method != "HEAD" and not isinstance(RULES[route.endpoint], Who)]
    opened = {route.endpoint for route in guarded if outcome(client, app, route) == IN}
    role.users.delete()
    db.session.delete(role)
    db.session.commit()
    assert opened == {endpoint for endpoint, rule in RULES.items() if rule == permission}


def test_what_an_administrator_may_do_who_sees_the_site_as_a_user(app: Flask, db: SQLAlchemy) -> None:
    client, answers, expected = enter(app.test_client(), IMPERSONATOR), {}, {}
    for route in ROUTES:
        answers[str(route)] = outcome(client, app, route)
        expected[str(route)] = answer_to_impersonators(route)
        if route.endpoint in WAYS_BACK:
            client = enter(app.test_client(), IMPERSONATOR)
    assert answers == expected


def answer_to_impersonators(route: Route) -> str:
    is_private = route.endpoint.startswith("account.") and route.endpoint not in SHOWN_TO_IMPERSONATORS
    changes = route.method not in {"GET", "HEAD"}
    if route.endpoint not in WAYS_BACK and (is_private or changes):
        return FORBIDDEN
    return ANSWERS.get(RULES[route.endpoint], NEEDS_PERMISSION)[PEOPLE.index("user")]


def enter(client: FlaskClient, person: str) -> FlaskClient:
    """Return the client, logged in as such a person."""
    if person == "visitor":
        return client
    if person == "newcomer":
        with client.session_transaction() as session:
            session[NEWCOMER_KEY] = "newcomer@example.org"
        return client
    if person == IMPERSONATOR:
        user = make_user()
        sign_in(client, make_admin())
        client.post(f"/admin/user/{user.id}/impersonate", data={"reason": "a test"})
        return client
    user = make_admin() if person == "administrator" else make_user(confirmed=person != "unconfirmed")
    let_in(client, user)
    if person == "disabled":
        # The session is kept on purpose: disabling alone has to refuse every request.
        user.disable("test")
        database.session.commit()
    return client


def outcome(client: FlaskClient, app: Flask, route: Route) -> str:
    """Return the outcome of a request, in one of the words above."""
    refusals: list[Flask] = []
    with user_unauthorized.connected_to(refusals.append, app):
        response = client.open(address(route), method=route.method)
    assert response.status_code < 500 or route.endpoint == "main.up_ready", f"{route}: {response.status}"
    if response.status_code == 403:
        return FORBIDDEN
    if refusals:
        return LOGIN
    if response.location == "/account/unconfirmed" and route.endpoint not in LEAD_TO_UNCONFIRMED:
        return HELD
    sends_visitors_home = RULES[route.endpoint] is VISITORS and response.location == "/"
    return HOME if sends_visitors_home else IN


@pytest.mark.parametrize("person", ["visitor", "administrator"])
def test_nothing_is_sent_without_the_token_of_our_own_page(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, person: str
) -> None:
    enter(client, person)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    for route, form in product(FORM_ROUTES, ({}, {"csrf_token": "forged"})):
        response = client.open(address(route), method=route.method, data=form)
        assert (response.status_code, "This form has expired" in response.text) == (400, True), f"{route} {form}"


@pytest.mark.parametrize(
    "person",
    [
        pytest.param("visitor", marks=pytest.mark.thorough),
        pytest.param("user", marks=pytest.mark.thorough),
        "administrator",
    ],
)
def test_looking_changes_no_row(app: Flask, client: FlaskClient, db: SQLAlchemy, person: str) -> None:
    """Mail scanners, browsers and crawlers open links by themselves, with valid tokens and real ids."""
    enter(client, person)
    # The logged-in user is the only one so far.
    values = fill_database(db, db.session.scalar(select(User)) or make_user())
    changed, before = {}, rows(db)
    for route in ROUTES:
        if route.method in {"GET", "HEAD"}:
            for address_of_row in addresses(route, values):
                client.open(address_of_row, method=route.method)
            after = rows(db)
            changed[str(route)], before = after != before, after
    assert len(changed) > 40
    assert not [route for route, has_changed in changed.items() if has_changed], "only a POST may change a row"


def fill_database(db: SQLAlchemy, owner: User) -> dict[str, list[object]]:
    """Make rows of every kind, those of areas for ``owner``; return the values of URL variables that name them."""
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
        **areas.sample_rows(owner),
    }


def addresses(route: Route, values: dict[str, list[object]]) -> Iterator[str]:
    """Return the route's URLs with every row and token that fits it."""
    names = sorted(values.keys() & route.rule.arguments)
    for chosen in product(*(values[name] for name in names)):
        yield address(route, **dict(zip(names, chosen, strict=True)))


def rows(db: SQLAlchemy) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of the database."""
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


def test_production_has_no_pages_for_developers(app: Flask, tmp_path: Path) -> None:
    found = tmp_path / "endpoints"

    def start() -> None:
        os.environ.update(PRODUCTION)
        found.write_text(" ".join(rule.endpoint for rule in create_app("production").url_map.iter_rules()))

    # In another process: a second application would turn on the limits of the one under test.
    assert ForkedProcess(app, start).wait() == 0
    assert set(found.read_text().split()) == {endpoint for endpoint in RULES if not endpoint.startswith("dev.")}
