"""Whatever anybody sends to any address and into any field: an answer, never an error of ours.

The routes are read from the application and the fields from its pages, so a new one is part of
this at once.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from werkzeug.test import TestResponse

from app.models import User
from tests.factories import PASSWORD, let_in, make_admin, make_invited, make_user, sign_in
from tests.html_forms import HtmlForm, forms_on

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"

BODIES = {
    "json number": ("application/json", b'{"email": 5, "password": 5}'),
    "json list": ("application/json", b"[1]"),
    "json nested deeply": ("application/json", b"[" * 5000),
    "json surrogate": ("application/json", b'{"email": "\\ud800", "password": "\\ud800"}'),
    "json of nothing": ("application/json", b""),
    "text": ("text/plain", b"email=a"),
    "no type": ("", b"email=a"),
    "broken percent signs": (FORM, b"email=%zz&password=%&=%00"),
    "not utf-8": (FORM, b"email=%ff%fe&password=\xff"),
    "utf-8 surrogates": (FORM, b"email=%ED%A0%80&password=%ED%A0%80&search=%ED%A0%80"),
    "a thousand fields": (FORM, b"email=a&" * 1000),
    "multipart without parts": (MULTIPART, b""),
    "multipart cut off": (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\na'),
    "multipart without a boundary": ("multipart/form-data", b"--b\r\n"),
    "multipart of many parts": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * 300 + b"--b--",
    ),
    "a file for a text": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="email"; filename="../../a\x00"\r\n\r\nb\r\n--b--\r\n',
    ),
}
QUERIES = [
    "page=99999999999999999999&per_page=99999999999999999999&id=99999999999999999999",
    "page=-1&sort=password_hash&direction=sideways&state=nonsense&role=99999999999999999999",
    "page=1e309&page=NaN&search=%25_%5C&actor=%00&user=%00&event=%00&state=%00",
    "search=%00&page=%00&next=%00&since=%00&until=%00",
    "search=%ED%A0%80&page=%ED%A0%80&next=%ED%A0%80&since=9999-99-99&until=0000-00-00",
    "search=%E2%80%AE&page=%D9%A3&since=99999-01-01&until=-1",
    "search=" + "a%20" * 900,
    "next=http://[::1&next=//evil.example",
    "next=%0d%0aSet-Cookie:%20a=b",
    "%ff=%ff&[=]&a[b]=c&==&",
]
HEADERS = [
    {"Cookie": "session=\x01; remember_token=a|\xc3\xa9; __Host-session=.eJ"},
    {"Cookie": "session=" + "a" * 4000 + "; " + "=;" * 100},
    {"User-Agent": "\u00ff" * 5000, "Referer": "http://[::1", "Origin": "null"},
    {"Referer": "http://localhost/\\evil.example", "X-Request-ID": "\x00"},
    {
        "Range": "bytes=9-1",
        "If-Modified-Since": "never",
        "If-None-Match": "x",
        "Accept": ";;;",
        "Accept-Encoding": "\x7f",
    },
    {"Content-Length": "-1", "Content-Type": FORM},
    {"Content-Length": "99999999999999999999", "Content-Type": FORM},
    {"X-Forwarded-For": "x" * 500, "X-Forwarded-Host": "evil.example", "X-HTTP-Method-Override": "DELETE"},
    {"Authorization": "Basic \xff", "Content-Encoding": "gzip"},
]
FOREIGN_HOSTS = ["evil.example", "[::1", "localhost:99999999", "a b", "\xff", "localhost@evil.example"]
FOREIGN_TARGETS = [
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "http://[::1",
    "javascript:alert(1)",
    "/a\r\nSet-Cookie: x=1",
    "@evil.example",
    "/\u202e",
    "x" * 5000,
]
NEW_PASSWORD = "nanosecond wire in hand"
ODD_NUMBERS = ["0", "99999999999999999999", "2147483648", "9223372036854775808", "1" * 5000, "٣"]
ODD_TEXTS = ["%00", "%ED%A0%80", "%E2%80%AE", "..", "%2e%2e", "%0d%0aa:b", "a" * 5000, "'--", "{{7*7}}", "%25"]

TYPED = {
    "nothing": "",
    "blanks": " \t ",
    "NUL": "a\x00b@example.org",
    "line breaks": "a@example.org\r\nBcc: b@example.org",
    "right to left": "\u202egro.elpmaxe@a",
    "invisible": "\u200b\u2066\ufeff",
    "a huge number": "9" * 400,
    "markup": '"><script>alert(1)</script>',
    "a template": "{{ 7 * 7 }}{% raw %}",
    "a statement": "' OR 1=1; --",
    "long": "ä" * 20_000,
    "emoji": "👩‍👩‍👧@👩‍👩‍👧.example",
    "many dots": "a@" + "b." * 120 + "org",
}


@pytest.fixture(autouse=True)
def _answers_instead_of_exceptions(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)


class Browser:
    """Sends requests as one person, each as if it were the first after a login, and notes what failed."""

    def __init__(self, app: Flask, user: User | None) -> None:
        self.app, self.user = app, user
        self.sent: list[str] = []
        self.failed: list[str] = []
        self.use_cookies = True
        self._client: FlaskClient | None = None

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        answer = self.client().open(path, method=method, **options)
        self.sent.append(path)
        is_unhealthy = path.startswith("/up/ready") and answer.status_code == 503
        if answer.status_code >= 500 and not is_unhealthy:
            self.failed.append(f"{method} {path[:80]} {str(options)[:120]}: {answer.status}")
        if method != "GET":
            self._client = None  # it may have logged out
        return answer

    def client(self) -> FlaskClient:
        if self._client is None:
            self._client = self.app.test_client(use_cookies=self.use_cookies)
            if self.user is not None:
                let_in(self._client, self.user)
        return self._client


class Visit:
    """Opens every address as the person who gets furthest: an administrator, or a stranger on pages for visitors."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.admin, self.stranger = Browser(app, make_admin()), Browser(app, None)
        self.victim_id = make_user().id

    def send(self, method: str, path: str, **options: Any) -> None:
        answer = self.admin.send(method, path, **options)
        if answer.location == "/":
            self.stranger.send(method, path, **options)

    def addresses(self, *methods: str, text: str = "1") -> Iterator[tuple[str, str]]:
        """Answer each method and address of the site, ``text`` in its variable parts."""
        for rule in self.app.url_map.iter_rules():
            path = re.sub("<[^>]+>", text, rule.rule.replace("<int:user_id>", str(self.victim_id)))
            yield from ((method, path) for method in methods if method in (rule.methods or ()))

    @property
    def failed(self) -> list[str]:
        """What was answered with an error of ours."""
        return self.admin.failed + self.stranger.failed


@pytest.fixture
def visit(app: Flask, db: SQLAlchemy) -> Visit:
    """A visit of the whole site."""
    return Visit(app)


@pytest.mark.parametrize("kind", BODIES)
def test_no_body_is_an_error_of_ours(visit: Visit, kind: str) -> None:
    content_type, body = BODIES[kind]
    for method, path in visit.addresses("POST"):
        visit.send(method, path, data=body, content_type=content_type)
    assert len(visit.admin.sent) > 20
    assert not visit.failed


def test_a_body_where_none_belongs_is_none_either(visit: Visit) -> None:
    for method, path in visit.addresses("GET", "HEAD", "OPTIONS"):
        visit.send(method, path, data=b"[1]", content_type="application/json")
    assert not visit.failed


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_is_an_error_of_ours(visit: Visit, query: str) -> None:
    for method, path in visit.addresses("GET"):
        visit.send(method, path, query_string=query)
    assert not visit.failed


@pytest.mark.parametrize("headers", HEADERS)
def test_no_header_is_an_error_of_ours(visit: Visit, headers: dict[str, str]) -> None:
    # With a cookie jar of its own, the client would throw away the header.
    visit.stranger.use_cookies = "Cookie" not in headers
    for method, path in visit.addresses("GET"):
        visit.stranger.send(method, path, headers=headers)
    assert not visit.failed


@pytest.mark.parametrize("odd", [*ODD_NUMBERS, *ODD_TEXTS])
def test_no_part_of_an_address_is_an_error_of_ours(visit: Visit, odd: str) -> None:
    plain = {path for _, path in visit.addresses("GET", "POST", text="<variable>") if "<variable>" not in path}
    for method, path in visit.addresses("GET", "POST", text=odd.replace("\\", "\\\\")):
        if path not in plain:
            visit.send(method, path)
    for path in (f"/static/{odd}", f"/{odd}", f"/admin/user/{odd}", f"/dev/mailbox/{odd}/raw"):
        visit.send("GET", path)
    assert len(visit.admin.sent) > 10
    assert not visit.failed


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused_everywhere(visit: Visit, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(visit.app.config, "TRUSTED_HOSTS", ["localhost"])
    for _, path in visit.addresses("GET"):
        assert visit.stranger.send("GET", path, headers={"Host": host}).status_code == 400
    assert visit.stranger.send("GET", "/", headers={"Host": "localhost"}).status_code == 200


@pytest.mark.parametrize("target", [*FOREIGN_TARGETS, "/account/manage"])
def test_logging_in_leads_to_a_page_of_this_site(client: FlaskClient, target: str) -> None:
    form = {"email": make_user().email, "password": PASSWORD}
    answer = client.post("/account/login", query_string={"next": target}, data=form)
    assert answer.status_code == 302
    assert answer.location == (target if target == "/account/manage" else "/")


def test_fields_that_a_form_does_not_have_change_nothing(client: FlaskClient) -> None:
    user, other_role = make_user(), make_admin().role_id
    sign_in(client, user)
    extra = {
        "role_id": other_role,
        "role": other_role,
        "confirmed": "",
        "uid": "x",
        "id": "1",
        "email": "x@example.org",
    }
    asked = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post("/account/manage/change-password", data={**extra, **asked}).status_code == 302
    assert user.verify_password(NEW_PASSWORD)
    assert (user.is_admin(), user.confirmed, User.with_email("x@example.org")) == (False, True, None)


def test_a_body_over_the_limit_is_refused_and_one_under_it_read(app: Flask, db: SQLAlchemy) -> None:
    client = app.test_client()
    for size, status in ((app.config["MAX_CONTENT_LENGTH"] + 1, 413), (1000, 200)):
        assert client.post("/account/login", data={"email": "a" * size, "password": "b"}).status_code == status


def pages_with_forms(db: SQLAlchemy) -> Iterator[tuple[User | None, str]]:
    """Answer who opens which page that has a form to type into."""
    admin, user, other, invited = make_admin(), make_user(), make_user(), make_invited()
    for path in ("register", "login", "reset-password"):
        yield None, f"/account/{path}"
    yield None, f"/account/reset-password/{other.generate_password_reset_token()}"
    yield None, f"/account/join-from-invite/{invited.id}/{invited.generate_invitation_token()}"
    for path in ("manage/change-password", "manage/change-email", "manage/delete", "confirm-password"):
        yield user, f"/account/{path}"
    for path in ("change-email", "change-account-type", "disable"):
        yield admin, f"/admin/user/{other.id}/{path}"
    for path in ("/admin/new-user", "/admin/invite-user", "/about", "/admin/users", "/admin/emails", "/admin/audit"):
        yield admin, path


def fill(form: HtmlForm, text: str) -> dict[str, str]:
    """Answer what a browser sends when ``text`` stands in every field that can hold it."""
    kept = {name: value for name, value in form.values.items() if form.types[name] == "hidden"}
    rest = {name: text for name, kind in form.types.items() if kind not in {"hidden", "submit"}}
    return {**kept, **rest}


@pytest.mark.parametrize("kind", TYPED)
def test_no_text_in_any_field_is_an_error_of_ours(app: Flask, db: SQLAlchemy, kind: str) -> None:
    text, forms, failed, shown_again, lost = TYPED[kind], 0, [], 0, []
    for user, path in pages_with_forms(db):
        client = Browser(app, user).client()
        page = client.get(path, follow_redirects=True)
        for form in forms_on(page.text):
            forms += 1
            target = form.action or page.request.path
            answer = client.open(target, method=form.method, **data_of(form, text))
            if answer.status_code >= 500:
                failed.append(f"{form.method} {target}: {answer.status}")
            for name, value in typed_fields_again(form, answer):
                shown_again += 1
                lost += [f"{target} {name}"] if as_shown(value) != as_shown(text) else []
    assert forms > 20
    assert not failed
    assert shown_again >= 3
    assert not lost


def data_of(form: HtmlForm, text: str) -> dict[str, object]:
    sent = fill(form, text)
    if form.method == "POST":
        return {"data": sent}
    return {"query_string": "&".join(f"{quote(name)}={quote(value)}" for name, value in sent.items())}


def typed_fields_again(form: HtmlForm, answer: TestResponse) -> Iterator[tuple[str, str]]:
    """Answer what a person typed, as the refused form shows it again."""
    if answer.status_code == 200 and form.method == "POST":
        for again in forms_on(answer.text):
            if again.types.keys() == form.types.keys():
                yield from ((name, again.values[name]) for name in form.typed_fields if form.types[name] != "select")


def as_shown(text: str) -> str:
    """Blanks around a text, and the form of its accents, are no part of what was typed."""
    return unicodedata.normalize("NFC", "".join(text.replace("\x00", "").split()))
