"""Tests for the names available in templates, and for the macros that forks use."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, flash, render_template_string
from wtforms import BooleanField, FileField, HiddenField, PasswordField, RadioField, StringField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired

from app.kit.forms.drawing import input_attributes, is_hidden_field
from app.kit.forms.form import Form
from app.models import Role
from app.templating import (
    badge,
    index_for_role,
    markdown,
    relative_time,
    time_element,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FORMS = "{% import 'macros/form_macros.html' as f %}"


class EveryField(Form):
    secret = HiddenField()
    submit = SubmitField("Send it")
    first_name = StringField("First name", description="As people call you", validators=[DataRequired()])
    email = StringField("Email")
    old_password = PasswordField("Old")
    new_password = PasswordField("New")
    choice = RadioField("One of", choices=[SelectChoice("a", "A"), SelectChoice("b", "B")])
    agreed = BooleanField("Agreed", render_kw={"aria-describedby": "elsewhere"})


class Upload(Form):
    document = FileField("Document")
    submit = SubmitField("Upload")


def draw(app: Flask, source: str, **values: Any) -> str:
    with app.test_request_context("/"):
        made = {name: value() if isinstance(value, type) else value for name, value in values.items()}
        return render_template_string(FORMS + source, **made)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=-5), "in a moment"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=-3), "in 3 hours"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=31), "31 March 2026"),
    ],
)
def test_times_are_told_as_people_do(distance: timedelta, words: str) -> None:
    moment = NOW - distance
    assert relative_time(moment, NOW) == (words if words != "31 March 2026" else f"{moment.day} {moment:%B %Y}")


def test_a_time_element_keeps_the_exact_moment() -> None:
    text = time_element(NOW)
    assert 'datetime="2026-05-01T12:00:00+00:00"' in text
    assert 'title="1 May 2026, 12:00:00 UTC"' in text
    assert time_element(None) == "–"


def test_role_and_field_questions(app: Flask) -> None:
    with app.test_request_context("/"):
        assert index_for_role(Role(index="admin")) == "/admin/"
        form = EveryField()
        assert is_hidden_field(form.secret)
        assert not is_hidden_field(form.email)


def test_equalto_works_as_a_test(app: Flask) -> None:
    assert draw(app, "{{ [1, 2, 1]|select('equalto', 1)|list }}") == "[1, 1]"


def test_the_theme_is_one_of_two_words(app: Flask) -> None:
    source = "{% extends 'layouts/base.html' %}"
    for cookie, expected in [
        ("dark", 'data-theme="dark"'),
        ('"><script>', '<html lang="en">'),
        ("", '<html lang="en">'),
    ]:
        with app.test_request_context("/", headers={"Cookie": f"theme={cookie}"}):
            assert expected in render_template_string(source)


def test_markdown_is_safe_and_badges_escape(app: Flask) -> None:
    with app.app_context():
        assert "<script" not in markdown("hello <script>alert(1)</script>")
        assert "<em>" in markdown("an *accent*")
    assert badge("<b>", "info") == '<span class="badge badge--info">&lt;b&gt;</span>'


def test_a_form_has_hidden_fields_first_and_submit_fields_last(app: Flask) -> None:
    text = draw(app, "{{ f.render_form(form) }}", form=EveryField)
    assert text.index('name="secret"') < text.index('name="first_name"') < text.index('name="submit"')
    assert 'method="post"' in text
    assert "enctype" not in text


def test_a_file_field_makes_the_form_multipart(app: Flask) -> None:
    assert 'enctype="multipart/form-data"' in draw(app, "{{ f.render_form(form) }}", form=Upload)


def test_hints_and_errors_belong_to_their_field(app: Flask) -> None:
    with app.test_request_context("/", method="POST", data={}):
        form = EveryField()
        form.validate()
        text = render_template_string(FORMS + "{{ f.render_form(form) }}", form=form)
        attributes = input_attributes(form.first_name)
    assert attributes["aria-describedby"] == "first_name-hint first_name-error"
    assert attributes["aria-invalid"] == "true"
    assert 'id="first_name-hint"' in text
    assert 'id="first_name-error"' in text
    assert text.count("autofocus") == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("email", {"autocomplete": "email", "inputmode": "email"}),
        ("first_name", {"autocomplete": "given-name"}),
        ("old_password", {"autocomplete": "current-password"}),
        ("new_password", {"autocomplete": "new-password"}),
        ("choice", {}),
    ],
)
def test_fields_say_what_fills_them(app: Flask, name: str, expected: dict[str, str]) -> None:
    with app.test_request_context("/"):
        attributes = input_attributes(EveryField()[name])
    assert expected.items() <= attributes.items()


def test_what_a_field_says_itself_wins(app: Flask) -> None:
    with app.test_request_context("/"):
        form = EveryField()
        form.agreed.errors = ["No."]
        assert "aria-describedby" not in input_attributes(form.agreed)


def test_form_flashes_show_in_the_form_and_page_flashes_above(app: Flask) -> None:
    source = "{% extends 'layouts/base.html' %}{% import 'macros/form_macros.html' as f %}"
    source += "{% block content %}{{ f.render_form(form) }}{% endblock %}"
    with app.test_request_context("/"):
        flash("in the form", "form-error")
        flash("above it", "success")
        text = render_template_string(source, form=Upload())
    assert text.count("in the form") == text.count("above it") == 1
    assert text.index("above it") < text.index("<form") < text.index("in the form")


def test_a_post_button_carries_a_token_and_its_question(csrf_app: Flask) -> None:
    text = draw(csrf_app, "{{ f.post_button('/x', 'Go <on>', 'danger', 'Really?') }}")
    assert 'name="csrf_token"' in text
    assert 'data-confirm="Really?"' in text
    assert "button--danger" in text
    assert "Go &lt;on&gt;" in text


def test_menus_nest(app: Flask) -> None:
    source = "{% import 'macros/nav_macros.html' as n %}{{ n.render_nav(current_user, rows) }}"
    rows = [
        ("main.about", "One", "list"),
        ("More", [("main.index", "Two", ""), ("Deep", [("main.about", "Three", "")])]),
    ]
    text = draw(app, source, rows=rows)
    assert text.count("<details") == 2
    assert all(word in text for word in ("One", "Two", "Three"))


def test_a_menu_marks_where_one_is(app: Flask) -> None:
    source = "{% import 'macros/nav_macros.html' as n %}{{ n.render_menu_items([('main.index', 'Home', 'home')]) }}"
    with app.test_request_context("/"):
        assert 'aria-current="page"' in render_template_string(source)
    with app.test_request_context("/about"):
        assert "aria-current" not in render_template_string(source)
