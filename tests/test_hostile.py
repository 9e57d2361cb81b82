"""The attacks of ``tests/hostile`` find what is broken, on a site whose routes they have never heard of."""

import time

import pytest
from flask import Flask, abort, render_template_string, request
from flask_sqlalchemy import SQLAlchemy
from wtforms import IntegerField, StringField, SubmitField

from app.kit.forms import form as forms
from app.kit.forms.form import Form
from app.kit.http import routing
from tests.hostile import values
from tests.hostile.attacker import Attacker, World
from tests.hostile.attacks import attack_briefly
from tests.hostile.world import world_of
from tests.test_routes import rows

BROKEN = {
    "a number in the path": ("/path/<name>", lambda name: chr(int(name)) if name.isdigit() else name),
    "a parameter of the query": ("/query", lambda: str(int(request.args.get("page", "1")))),
    "a parameter that another one opens": (
        "/second",
        lambda: str(int(request.args["offset"])) if "sort" in request.args and "offset" in request.args else "",
    ),
    "a page that shows its traceback": (
        "/traceback",
        lambda: "Traceback (most recent call last)" if request.args.get("q", "").isdigit() else "",
    ),
    "a slow page": ("/slow", lambda: _work_for(0.3) if len(request.args.get("q", "")) > 100 else ""),
    "a page for one person only": ("/private", lambda: abort(500) if request.cookies.get("who") == "b" else ""),
}


class NoteForm(Form):
    text = StringField("Text")
    number = IntegerField("Number")
    submit = SubmitField("Send")


def _work_for(seconds: float) -> str:
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass
    return ""


def _note() -> str:
    """Show a form in which one field fails, but only if the other one is valid."""
    form = NoteForm()
    if form.validate_on_submit() and form.number.data is not None:
        (form.text.data or "").encode("ascii")
    return render_template_string('<form method="post">{{ form.text }}{{ form.number }}</form>', form=form)


@pytest.fixture
def fork() -> Flask:
    """Return a fork's site on the kit, in which nothing is broken yet."""
    site = Flask("fork", static_folder=None)
    site.config.update(SECRET_KEY="k" * 40, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    routing.init_app(site)
    forms.init_app(site)
    site.add_url_rule(
        "/sound/<int:number>", "sound", lambda number: str(number + int(request.args.get("a", "1") == "b"))
    )
    return site


def attacked(fork: Flask) -> list[str]:
    """Return what the short attack on the site finds."""
    attacker = Attacker(fork, World({"a": "who=a", "b": "who=b"}))
    attack_briefly(attacker)
    assert attacker.sent > 20
    return attacker.failed


def test_a_sound_site_is_found_sound(fork: Flask) -> None:
    assert attacked(fork) == []


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_route_is_found(fork: Flask, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.hostile.attacker.TOO_LONG_SECONDS", 0.2)
    path, view = BROKEN[kind]
    fork.add_url_rule(path, "broken", view)
    found = attacked(fork)
    assert found
    assert all(path.partition("<")[0] in failure for failure in found)


def test_a_broken_form_is_found_in_the_field_that_breaks_it(fork: Flask) -> None:
    fork.add_url_rule("/note", "note", _note, methods=["GET", "POST"])
    attacker = Attacker(fork, World({"a": ""}))
    target = next(target for target in attacker.targets() if str(target) == "POST /note as a")
    assert {"text", "number"} <= attacker.plausible_parameters(target).keys()
    attacker.parameters(target, [values.TEXTS["emoji"]], one_by_one=True)
    assert len(attacker.failed) == 1
    assert "UnicodeEncodeError" in attacker.failed[0]


def test_a_view_that_never_ends_is_stopped_and_named(fork: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.hostile.attacker.HANGS_SECONDS", 0.1)
    fork.add_url_rule("/hang", "hang", lambda: time.sleep(5))
    attacker = Attacker(fork, World({"a": ""}))
    attacker.send("a", "GET", "/hang")
    assert "no answer within" in attacker.failed[0]


@pytest.mark.thorough
def test_what_a_request_changed_is_put_back(app: Flask, db: SQLAlchemy) -> None:
    with world_of(app) as world:
        before = rows(db)
        attacker = Attacker(app, world)
        named = next(target for target in attacker.targets() if target.rule.endpoint == "admin.delete_user")
        assert attacker.send("administrator", "POST", named.address()).status_code == 302
        assert rows(db) == before
