"""No input to any route or field causes a server error.

Routes, fields and parameters are found by :mod:`tests.hostile`, so new ones are tested at once. These tests use a few
values; ``test_security_input_thorough.py`` uses all of them.
"""

import re
import unicodedata
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from werkzeug.test import TestResponse

from app.kit.http.proxies import HEALTH_CHECKS
from app.models import User
from tests.factories import PASSWORD, make_admin, make_user, sign_in
from tests.hostile.attacker import Attacker
from tests.hostile.attacks import attack_briefly
from tests.hostile.world import world_of
from tests.html_forms import forms_on

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
# Without a worker the site is not ready, so this 503 is right.
EXPECTED = frozenset({("/up/ready", 503)})


@pytest.fixture
def attacker(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attacker]:
    """Yield an attacker who knows each route of the application, as each kind of user."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    with world_of(app) as world:
        yield Attacker(app, world, EXPECTED)


@pytest.mark.attacks
def test_no_part_of_a_request_is_an_error_of_ours(attacker: Attacker) -> None:
    attack_briefly(attacker)
    assert not attacker.failed
    assert attacker.sent > 1000


@pytest.mark.thorough
def test_a_refused_form_keeps_what_was_typed(attacker: Attacker) -> None:
    shown_again, lost = 0, []
    for target in attacker.targets():
        plausible = attacker.plausible_parameters(target) if target.method == "POST" else {}
        for text in ("a\x00b@example.org", "a@example.org\r\nBcc: b@example.org") if plausible else ():
            answer = attacker.submit(target, dict.fromkeys(plausible, text.encode()))
            for name, value in typed_again(plausible, answer):
                shown_again += 1
                lost += [f"{target} {name}: {value!r}"] if as_shown(value) != as_shown(text) else []
    assert shown_again > 10
    assert not lost


def typed_again(sent: dict[str, bytes], answer: TestResponse) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each typed field, as the refused form shows it again."""
    if answer.status_code == 200 and answer.mimetype == "text/html":
        for form in forms_on(answer.text):
            if form.method == "POST" and form.typed_fields & sent.keys():
                yield from ((name, form.values[name]) for name in form.typed_fields if form.types[name] != "select")


def as_shown(text: str) -> str:
    """Normalize a text: surrounding whitespace and Unicode form do not matter, and NUL is shown as U+FFFD."""
    return unicodedata.normalize("NFC", "".join(text.replace("\x00", "\ufffd").split()))


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused_everywhere(client: FlaskClient, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = client.application
    monkeypatch.setitem(app.config, "TRUSTED_HOSTS", ["localhost"])
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.rule not in HEALTH_CHECKS:
            assert client.get(re.sub("<[^>]+>", "1", rule.rule), headers={"Host": host}).status_code == 400
    assert client.get("/", headers={"Host": "localhost"}).status_code == 200


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
