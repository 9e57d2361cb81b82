"""Every page of the site, found by its routes, so that a fork's pages are checked too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

from app.models import FactorRemoval
from tests.browser.people import People

# The values of URL variables. For a new page with variables: add its endpoint, or its sample_rows in tests/areas.py.
VALUES: dict[str, Callable[[People], dict[str, object]]] = {
    "account.change_email": lambda people: {"token": people.user.generate_email_change_token("new@example.org")},
    "account.confirm": lambda people: {"token": people.unconfirmed.generate_confirmation_token()},
    "account.download_export": lambda people: {"export_id": people.export_id},
    "account.join_from_invite": lambda people: {
        "user_id": people.invited.id,
        "token": people.invited.generate_invitation_token(),
    },
    "account.mailed_code_link": lambda people: {"token": people.code_token},
    "account.keep_second_factors": lambda people: {"token": FactorRemoval.of(people.user).token},
    "account.not_me": lambda people: {"token": people.user.generate_not_me_token(people.user.email)},
    "account.reset_password": lambda people: {"token": people.user.generate_password_reset_token()},
    "account.rename_passkey": lambda people: {"passkey_id": people.passkey_id},
    "admin.bulk_task": lambda people: {"task_id": people.task_id},
    "admin.download_users": lambda people: {"task_id": people.users_export_id},
    "admin.new_bulk_task": lambda people: {"action": "disable", "of": "all", "state": "active"},
    "admin.change_account_type": lambda people: {"user_id": people.user.id},
    "admin.change_role": lambda people: {"role_id": people.role_id},
    "admin.impersonate": lambda people: {"user_id": people.user.id},
    "admin.change_user_email": lambda people: {"user_id": people.user.id},
    "admin.change_user_name": lambda people: {"user_id": people.user.id},
    "admin.delete_user_request": lambda people: {"user_id": people.user.id},
    "admin.disable_user": lambda people: {"user_id": people.user.id},
    "admin.edit_page": lambda people: {"page_id": people.page.text_id},
    "admin.remove_second_factors": lambda people: {"user_id": people.user.id},
    "admin.page_info": lambda people: {"page_id": people.page.text_id},
    "admin.page_revision": lambda people: {"page_id": people.page.text_id, "revision_id": people.page.id},
    "admin.user_info": lambda people: {"user_id": people.user.id},
    "dev.message": lambda people: {"name": people.message_name},
    "dev.preview": lambda people: {"name": "confirm"},
    "dev.raw": lambda people: {"name": people.message_name},
    "main.page": lambda people: {"slug": people.page.text.editor_name},
}
# Pictures; bodies of emails, shown in a frame and written for mail programs; redirects for everybody; a text that
# exists only with a setting; and what follows after a visit to a provider (test_providers.py).
NOT_PAGES = {
    "account.download_recovery_codes",
    "account.picture_file",
    "account.provider_callback",
    "account.register_with_provider",
    "dev.part",
    "dev.preview_html",
    "main.change_password",
    "main.metrics_page",
    "main.security_txt",
    "main.up_doctor",
}
WHO_LOOKS = ("visitor", "user", "unconfirmed", "administrator")


@dataclass(frozen=True)
class Page:
    """The URL of an HTML page, and the first of ``WHO_LOOKS`` who can see it."""

    endpoint: str
    path: str
    who: str


def all_pages(app: Flask, people: People) -> list[Page]:
    """Return every HTML page of the application; fails for a page that nobody can see."""
    # Whoever is logged in sees another page there than a visitor.
    pages, unseen = [Page("main.home", "/", "user")], []
    for endpoint, path in _paths(app, people):
        who = _who_sees(app, people, endpoint, path)
        if who is None:
            unseen.append(endpoint)
        elif who != "no page":
            pages.append(Page(endpoint, path, who))
    assert not unseen, f"nobody in tests/browser/people.py gets to see these; are VALUES in pages.py right? {unseen}"
    return pages


def _paths(app: Flask, people: People) -> Iterator[tuple[str, str]]:
    seen: set[str] = set(NOT_PAGES)
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint not in seen:
            seen.add(rule.endpoint)
            yield rule.endpoint, _path(app, rule, people)


def _path(app: Flask, rule: Rule, people: People) -> str:
    of_areas = {name: rows[0] for name, rows in people.rows_of_areas.items() if name in rule.arguments}
    values = VALUES[rule.endpoint](people) if rule.endpoint in VALUES else of_areas
    assert values.keys() >= rule.arguments, f"tests/browser/pages.py: what is in {rule}? Add it to VALUES"
    with app.test_request_context():
        built = rule.build(values)
    assert built is not None, f"tests/browser/pages.py: the VALUES of {rule.endpoint} do not fit {rule}"
    return built[1]


def _who_sees(app: Flask, people: People, endpoint: str, path: str) -> str | None:
    for who in WHO_LOOKS:
        client = app.test_client()
        if cookie := people.cookies[who]:
            client.set_cookie("session", cookie)
        response = client.get(path, follow_redirects=True)
        response.close()
        if response.mimetype != "text/html":
            return "no page"
        # A redirect that removes the token from the URL is still that page; one to the login page is not.
        if response.status_code == 200 and _endpoint(app, response.request.path) == endpoint:
            return who
    return None


def _endpoint(app: Flask, path: str) -> str:
    return str(app.url_map.bind("").match(path)[0])
