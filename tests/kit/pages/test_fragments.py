"""Fragments are rendered once for everybody, and cannot see who visits."""

from collections.abc import Callable

import pytest
from flask import Flask, g, request, session
from flask_caching import Cache
from flask_login import current_user
from jinja2 import DictLoader, UndefinedError

from app.kit.pages import fragments

CATALOG = {"de": {"Hello": "Hallo"}, "en": {}}
TEMPLATES = {
    "hello.html": "{{ gettext('Hello') }} {{ name }}{{ count() }}",
    "link.html": "{{ url_for('static', filename='a') }}",
    "user.html": "{% if current_user.is_admin() %}secret{% endif %}",
    "request.html": "{{ request.path }}",
    "session.html": "{{ session.token }}",
    "g.html": "{{ g.user_id }}",
    "typo.html": "{{ nmae }}",
}


@pytest.fixture
def site() -> Flask:
    """A site in two languages, whose fragments count how often they are rendered."""
    app = Flask("small")
    app.config.update(CACHE_TYPE="SimpleCache", SECRET_KEY="key")
    app.jinja_env.loader = DictLoader(TEMPLATES)
    # As app/templating.py has it: what pages may use and fragments may not.
    app.jinja_env.globals.update(current_user=current_user, count=counter(), gettext=gettext)
    fragments.init_app(app, Cache(with_jinja2_ext=False), lambda: (locale(),), ("count", "gettext", "url_for"))
    return app


def locale() -> str:
    return str(request.args.get("lang", "en"))


def gettext(text: str) -> str:
    return CATALOG[locale()].get(text, text)


def counter() -> Callable[[], int]:
    calls: list[int] = []

    def count() -> int:
        calls.append(1)
        return len(calls)

    return count


def draw(site: Flask, template: str, address: str = "/", mounted_at: str = "", **values: str) -> str:
    with site.test_request_context(address, environ_overrides={"SCRIPT_NAME": mounted_at}):
        session["token"] = g.user_id = "of this visitor"
        return str(site.jinja_env.globals["fragment"](template, 60, **values))


def test_it_is_rendered_once_for_the_same_values_and_escapes_them(site: Flask) -> None:
    drawn = [draw(site, "hello.html", name=name) for name in ("Ada", "Ada", "<b>")]
    assert drawn == ["Hello Ada1", "Hello Ada1", "Hello &lt;b&gt;2"]


def test_a_language_is_not_served_to_readers_of_another(site: Flask) -> None:
    drawn = [draw(site, "hello.html", f"/?lang={lang}", name="Ada") for lang in ("en", "de", "en")]
    assert drawn == ["Hello Ada1", "Hallo Ada2", "Hello Ada1"]


@pytest.mark.parametrize("mounted_at", ["/mounted", "//evil.example"])
def test_links_of_one_mount_point_are_not_shown_under_another(site: Flask, mounted_at: str) -> None:
    plain, mounted = draw(site, "link.html"), draw(site, "link.html", mounted_at=mounted_at)
    assert plain != mounted
    assert draw(site, "link.html") == plain


@pytest.mark.parametrize("template", ["user.html", "request.html", "session.html", "g.html", "typo.html"])
def test_what_depends_on_the_visitor_is_an_error(site: Flask, template: str) -> None:
    with pytest.raises(UndefinedError, match="is undefined"):
        draw(site, template)


def test_a_page_may_use_what_a_fragment_may_not(site: Flask) -> None:
    with site.test_request_context("/here"):
        assert site.jinja_env.get_template("request.html").render() == "/here"


def test_it_is_forgotten_after_its_time_and_when_told(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert draw(site, "hello.html", name="Ada") == "Hello Ada1"
    monkeypatch.setattr("cachelib.simple.time", lambda: 2**40)
    assert draw(site, "hello.html", name="Ada") == "Hello Ada2"


def test_nothing_is_cached_while_templates_are_reloaded() -> None:
    app = Flask("reloading")
    app.config.update(CACHE_TYPE="NullCache", CACHE_NO_NULL_WARNING=True)
    app.jinja_env.loader = DictLoader({"count.html": "{{ count() }}"})
    app.jinja_env.globals["count"] = counter()
    fragments.init_app(app, Cache(with_jinja2_ext=False), lambda: (), ("count",))
    assert [draw_plain(app), draw_plain(app)] == ["1", "2"]


def draw_plain(app: Flask) -> str:
    with app.app_context():
        return str(app.jinja_env.globals["fragment"]("count.html", 60))
