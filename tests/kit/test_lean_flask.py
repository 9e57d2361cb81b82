"""What LeanFlask remembers changes nothing that a view or a template can see."""

from typing import Any

import pytest
from flask import Flask
from jinja2 import DictLoader, pass_context, pass_environment

from app.kit.lean_flask import LeanFlask

PAGE = """{% extends 'frame.html' %}{% from 'macros.html' import greet with context %}
{% block body %}
{%- for name in names %}{% set shown = name %}{{ greet(name) }}{{ seen('shown') }}{{ plain(1, b=2) }}{% endfor -%}
{% endblock %}"""
TEMPLATES = {
    "page.html": PAGE,
    "frame.html": "{{ added }} {{ names|upper_all }} {% block body %}{% endblock %}",
    "macros.html": "{% macro greet(who) %}[{{ who }} {{ environment_name() }}]{% endmacro %}",
}


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


def test_coroutines_are_wrapped_each_time(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def plain() -> str:
        return ""

    async def coroutine() -> str:
        return ""

    monkeypatch.setattr(site, "async_to_sync", lambda function: f"wrapped {function.__name__}")
    assert [site.ensure_sync(plain) for _ in range(2)] == [plain, plain]
    assert [site.ensure_sync(coroutine) for _ in range(2)] == ["wrapped coroutine"] * 2


def test_only_so_many_functions_are_remembered() -> None:
    site = LeanFlask("small")
    for _ in range(1500):
        site.ensure_sync(lambda: "")
    assert len(site._plain_functions) == 1000
