"""What is rendered once and remembered, and what never is."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from jinja2 import DictLoader
from markupsafe import Markup
from wtforms import Form, PasswordField, StringField
from wtforms.validators import InputRequired

from app.kit.pages import remembered


class SmallForm(Form):
    name = StringField("Name", validators=[InputRequired()])
    password = PasswordField("Password")


@pytest.fixture
def small_app() -> Flask:
    app = Flask("small")
    app.jinja_env.loader = DictLoader({"hello.html": "Hello {{ name }}{{ count() }}"})
    app.jinja_env.globals["count"] = counter()
    remembered.init_app(app)
    return app


def counter() -> Callable[[], int]:
    calls: list[int] = []

    def count() -> int:
        calls.append(1)
        return len(calls)

    return count


def draw(app: Flask, field: Any) -> str:
    def macro(drawn: Any, _classes: str, _autofocus: bool) -> Markup:
        return Markup(drawn()) + str(app.jinja_env.globals["count"]())  # noqa: S704

    return str(app.jinja_env.globals["remembered_field"](macro, field, "", False))


def test_a_partial_is_rendered_once_for_the_same_values(small_app: Flask) -> None:
    partial = small_app.jinja_env.globals["remembered"]
    assert partial("hello.html", name="Ada") == "Hello Ada1"
    assert partial("hello.html", name="Ada") == "Hello Ada1"
    assert partial("hello.html", name="<b>") == "Hello &lt;b&gt;2"


@pytest.mark.parametrize("mounted_at", ["/mounted", "//evil.example", "//"])
def test_links_of_one_address_are_not_shown_under_another(small_app: Flask, mounted_at: str) -> None:
    partial = small_app.jinja_env.globals["remembered"]
    with small_app.test_request_context("/", environ_overrides={"SCRIPT_NAME": mounted_at}):
        assert partial("hello.html", name="Ada") == "Hello Ada1"
    with small_app.test_request_context("/"):
        assert partial("hello.html", name="Ada") == "Hello Ada2"


def test_lists_may_be_values(small_app: Flask) -> None:
    assert "(1, (2, 3))" in small_app.jinja_env.globals["remembered"]("hello.html", name=[1, [2, 3]])


def test_nothing_is_remembered_while_templates_are_reloaded() -> None:
    app = Flask("reloading")
    app.testing = True
    app.jinja_env.loader = DictLoader({"hello.html": "{{ count() }}"})
    app.jinja_env.globals["count"] = counter()
    remembered.init_app(app)
    partial = app.jinja_env.globals["remembered"]
    assert (partial("hello.html"), partial("hello.html")) == ("1", "2")


def test_an_empty_field_is_drawn_once(small_app: Flask) -> None:
    assert draw(small_app, SmallForm().name) == draw(small_app, SmallForm().name)


def test_what_was_typed_and_what_is_wrong_is_never_kept(small_app: Flask) -> None:
    typed = SmallForm(data={"name": "Ada", "password": "a secret"})
    for field in typed:
        assert draw(small_app, field) != draw(small_app, field)
    wrong = SmallForm(data={})
    wrong.validate()
    assert draw(small_app, wrong.name) != draw(small_app, wrong.name)


def test_fields_that_differ_in_anything_are_kept_apart(small_app: Flask) -> None:
    form = SmallForm()
    drawn = {draw(small_app, form.name)}
    form.name.render_kw = {"placeholder": "Ada"}
    drawn.add(draw(small_app, form.name))
    form.name.flags.maxlength = 5
    drawn.add(draw(small_app, form.name))
    drawn.add(draw(small_app, form.password))
    assert len(drawn) == 4
