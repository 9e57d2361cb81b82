"""Hostile input to every route and every field: refused or harmless, never an error of ours.

The walks read `url_map`, so a fork's pages are covered as soon as they exist.
"""

from io import BytesIO
from urllib.parse import quote, quote_plus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.routing.converters import NumberConverter

from app.extensions import db
from app.models import User
from tests.factories import PASSWORD, make_admin, make_invited, make_user, sign_in

# Already quoted for an address or a form body; the second and third are no text at all.
HOSTILE = {
    "nul": "a%00b",
    "no utf-8": "%FF%FE",
    "surrogate": "%ED%A0%80",
    "right-to-left": quote_plus("\u202eevil\u200f"),
    "line breaks": quote_plus("a\r\nBcc: all@example.org\r\n\r\n"),
    "huge number": "9" * 400,
    "beyond 64 bits": "99999999999999999999",
    "negative": "-1",
    "markup": quote_plus("<script>alert(1)</script>{{7*7}}${7*7}"),
    "sql": quote_plus("' OR 1=1; --"),
    "long": "x" * 20_000,
    "emoji": quote_plus("👩‍👩‍👧‍👦" * 30),
}
FIELDS = (  # noqa: SIM905 - a list would fill a page
    "email password password2 old_password new_password new_password2 first_name last_name remember_me role submit "
    "editor_name edit_data reason next search page per_page sort direction state event user from to kind"
).split()
# Logging out would make the rest of the walk a stranger's; readiness truly is 503 where no worker runs.
LEFT_OUT = {"account.logout", "main.up_ready"}

FORMS = {
    "/account/login": {"email": "ada@example.org", "password": PASSWORD},
    "/account/register": {
        "first_name": "Grace",
        "last_name": "Hopper",
        "email": "grace@example.org",
        "password": "nanosecond wire in hand",
        "password2": "nanosecond wire in hand",
    },
    "/account/reset-password": {"email": "ada@example.org"},
    "/account/password-strength": {"password": "x", "email": "x", "first_name": "x", "last_name": "x"},
}
MEMBER_FORMS = {
    "/account/manage/change-password": {
        "old_password": PASSWORD,
        "new_password": "nanosecond wire in hand",
        "new_password2": "nanosecond wire in hand",
    },
    "/account/manage/change-email": {"email": "new@example.org", "password": PASSWORD},
    "/account/confirm-password": {"password": PASSWORD},
    "/account/manage/delete": {"password": PASSWORD},
}
URLENCODED = "application/x-www-form-urlencoded"


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in LEFT_OUT]


def address(rule: Rule, number: str, text: str) -> str:
    """Fill a rule's converters: numbers take ``number``, all others ``text``."""
    path = ""
    for is_dynamic, part in rule._trace:
        if is_dynamic:
            path += number if isinstance(rule._converters[part], NumberConverter) else text
        else:
            path += part.lstrip("|")
    return path


@pytest.fixture(params=["stranger", "member", "administrator"])
def visitor(request: pytest.FixtureRequest, client: FlaskClient) -> FlaskClient:
    if request.param != "stranger":
        sign_in(client, make_user() if request.param == "member" else make_admin())
    return client


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_route_breaks_on_hostile_input(app: Flask, visitor: FlaskClient, hostile: str) -> None:
    text = HOSTILE[hostile]
    everywhere = "&".join(f"{name}={text}" for name in FIELDS)[:200_000]
    for rule in rules(app):
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
            path = address(rule, number="1", text=text[:500])
            query = everywhere[:4000] if method == "GET" else ""
            body = {} if method == "GET" else {"data": everywhere, "content_type": URLENCODED}
            answer = visitor.open(path, method=method, query_string=query, **body)
            assert answer.status_code < 500, f"{method} {rule.rule} broke on {hostile}"
            answer.close()


@pytest.mark.parametrize("number", ["0", "2147483648", "9223372036854775808", "9" * 40])
def test_no_row_number_breaks_a_route(app: Flask, visitor: FlaskClient, number: str) -> None:
    for rule in rules(app):
        if not rule.arguments:
            continue
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
            answer = visitor.open(address(rule, number=number, text="x"), method=method)
            assert answer.status_code < 500, f"{method} {rule.rule} broke on {number}"
            answer.close()


def test_no_page_number_breaks_a_list(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_admin())
    pages = [rule for rule in rules(app) if not rule.arguments and "GET" in rule.methods]
    for rule in pages:
        for value in ("-1", "0", "x", "9" * 30, "1.5", "%00"):
            answer = client.get(f"{rule.rule}?page={value}&per_page={value}&sort={value}&direction={value}")
            assert answer.status_code < 500, f"{rule.rule} broke on page {value}"
            answer.close()


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("path", [*FORMS, *MEMBER_FORMS])
def test_no_field_breaks_and_the_others_keep_what_was_typed(client: FlaskClient, path: str, hostile: str) -> None:
    form = FORMS.get(path) or MEMBER_FORMS[path]
    if path in MEMBER_FORMS:
        sign_in(client, make_user())
    for field in form:
        others = {name: text for name, text in form.items() if name != field}
        body = "&".join([f"{field}={HOSTILE[hostile]}", *(f"{name}={quote(text)}" for name, text in others.items())])
        page = client.post(path, data=body, content_type=URLENCODED)
        assert page.status_code < 500, f"{path} broke on {hostile} in {field}"
        if page.status_code == 200 and page.mimetype == "text/html":
            kept = [text for name, text in others.items() if "password" not in name]
            assert all(f'value="{text}"' in page.text for text in kept)
            assert "<script>alert(1)" not in page.text


def test_no_field_of_an_invitation_or_a_reset_breaks(client: FlaskClient) -> None:
    invited, forgetful = make_invited(), make_user()
    token = forgetful.generate_password_reset_token()
    client.get(f"/account/reset-password/{token}")
    paths = [
        f"/account/join-from-invite/{invited.id}/{invited.generate_invitation_token()}",
        "/account/reset-password/form",
    ]
    for path in paths:
        for text in HOSTILE.values():
            body = "&".join(f"{name}={text}" for name in ("password", "new_password"))
            assert client.post(path, data=body, content_type=URLENCODED).status_code == 200


JSON_BODIES = ['{"email": 5}', "[1]", "[" * 5000, r'{"email": "\ud800"}', "null", '"x"', "{", ""]


@pytest.mark.parametrize("body", JSON_BODIES)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/xml", "text/json; charset=x"])
def test_bodies_that_are_no_form_are_refused(app: Flask, visitor: FlaskClient, body: str, content_type: str) -> None:
    for rule in rules(app):
        if "POST" in rule.methods:
            path = address(rule, number="1", text="x")
            answer = visitor.post(path, data=body, content_type=content_type)
            wanted = {415} if body else set(range(500))
            assert answer.status_code in wanted, f"{rule.rule} took {content_type}"


def test_json_in_chunks_is_refused_too(client: FlaskClient) -> None:
    answer = client.post(
        "/account/login",
        data="[" * 5000,
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("email=" + "x" * 2_000_000, URLENCODED, 413),
        ("&".join(f"f{number}=x" for number in range(5000)), URLENCODED, 200),
        ("no boundary", "multipart/form-data", 200),
        ("--b\r\ncontent-disposition: form-data; name=email\r\n\r\nx", "multipart/form-data; boundary=b", 200),
        ("--b\r\n" * 5000, "multipart/form-data; boundary=b", None),
    ],
)
def test_misshapen_and_oversized_bodies(client: FlaskClient, body: str, content_type: str, status: int | None) -> None:
    answer = client.post("/account/login", data=body, content_type=content_type)
    assert answer.status_code < 500
    if status is not None:
        assert answer.status_code == status


def test_an_uploaded_file_is_not_a_field(client: FlaskClient) -> None:
    make_user(email="ada@example.org")
    form = {"email": (BytesIO(b"\xff\x00"), "x.txt"), "password": (BytesIO(b"x"), "y.txt")}
    assert client.post("/account/login", data=form).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\t/evil.example",
        " //evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http://[::1",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
        "///evil.example",
        "http:evil.example",
        "/\x00/evil.example",
        "/%0d%0aSet-Cookie:x",
        "@evil.example",
        "/\u202e",
        "x" * 5000,
    ],
)
def test_next_never_leads_away(client: FlaskClient, target: str) -> None:
    user = make_user()
    form = {"email": user.email, "password": PASSWORD}
    answer = client.post("/account/login", query_string={"next": target}, data=form)
    assert answer.status_code == 302
    assert answer.location in {"/", target} or answer.location.startswith("/%0d")
    assert not answer.location.startswith(("//", "/\\"))
    assert "x" not in answer.headers.get("Set-Cookie", "").partition("=")[0]
    if answer.location == target:
        assert target.startswith("/")


@pytest.mark.parametrize("host", ["evil.example", "localhost:80@evil.example", "localhost.evil.example", "a b", "[::1"])
def test_a_foreign_host_is_refused(app: Flask, client: FlaskClient, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "TRUSTED_HOSTS", ["localhost"])
    assert client.get("/account/login").status_code == 200
    assert client.get("/account/login", headers={"Host": host}).status_code == 400


def test_fields_that_a_form_does_not_have_change_nothing(client: FlaskClient) -> None:
    user = make_user()
    admin_role = make_admin().role_id
    sign_in(client, user)
    extra = {
        "role_id": admin_role,
        "role": admin_role,
        "confirmed": "",
        "uid": "x",
        "id": "1",
        "email": "x@example.org",
    }
    form = {**MEMBER_FORMS["/account/manage/change-password"], **extra}
    client.post("/account/manage/change-password", data=form)
    db.session.refresh(user)
    assert (user.is_admin(), user.confirmed, user.email == "x@example.org") == (False, True, False)
    assert User.with_email("x@example.org") is None
