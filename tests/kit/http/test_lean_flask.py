"""What LeanFlask spares changes nothing that a view or a template can see."""

import gc
from typing import Any
from weakref import ref

import pytest
from flask import Flask, after_this_request
from jinja2 import DictLoader, pass_context, pass_environment

from app.kit.http.lean_flask import LeanFlask

PAGE = """{% extends 'frame.html' %}{% from 'macros.html' import greet with context %}
{% block body %}
{%- for name in names %}{% set shown = name %}{{ greet(name) }}{{ seen('shown') }}{{ plain(1, b=2) }}{% endfor -%}
{% endblock %}"""
TEMPLATES = {
    "page.html": PAGE,
    "frame.html": "{{ added }} {{ names|upper_all }} {% block body %}{% endblock %}",
    "macros.html": "{% macro greet(who) %}[{{ who }} {{ environment_name() }}]{% endmacro %}",
}


class Held:
    """Something that a function of one request refers to."""


@pytest.fixture(params=[Flask, LeanFlask])
def site(request: pytest.FixtureRequest) -> Flask:
    """The same small site, on Flask itself and on ours."""
    app: Flask = request.param("small")
    app.jinja_env.loader = DictLoader(TEMPLATES)
    app.jinja_env.filters["upper_all"] = lambda names: " ".join(names).upper()
    app.jinja_env.globals.update(added="added", seen=seen, plain=lambda a, b: f"{a}{b}", environment_name=name_of)
    return app


@pass_context
def seen(context: Any, name: str) -> str:
    return f"<{context.get(name)}>"


@pass_environment
def name_of(environment: Any) -> str:
    return "sandboxed" if environment.sandboxed else "open"


def test_templates_see_the_same(site: Flask) -> None:
    template = site.jinja_env.get_template("page.html")
    expected = "added ADA BOB [Ada open]&lt;Ada&gt;12[Bob open]&lt;Bob&gt;12"
    assert [template.render(names=["Ada", "Bob"]) for _ in range(2)] == [expected] * 2


def test_what_a_template_is_given_hides_a_global(site: Flask) -> None:
    assert "mine" in site.jinja_env.get_template("page.html").render(names=[], added="mine")


def test_what_has_run_out_is_undefined(site: Flask) -> None:
    rest = iter("a")
    template = site.jinja_env.from_string("{{ take() }}-{{ take() }}-")
    assert template.render(take=lambda: next(rest)) == "a--"


def test_coroutines_are_wrapped_each_time(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def plain() -> str:
        return ""

    async def coroutine() -> str:
        return ""

    monkeypatch.setattr(site, "async_to_sync", lambda function: f"wrapped {function.__name__}")
    assert [site.ensure_sync(plain) for _ in range(2)] == [plain, plain]
    assert [site.ensure_sync(coroutine) for _ in range(2)] == ["wrapped coroutine"] * 2


def test_what_a_request_brings_along_ends_with_it() -> None:
    site = LeanFlask("small")
    held: list[ref[Held]] = []

    @site.get("/")
    def page() -> str:
        something = Held()
        held.append(ref(something))
        after_this_request(lambda response: (response, something)[0])
        return ""

    site.test_client().get("/")
    gc.collect()
    assert [reference() for reference in held] == [None]
