"""Template fragments that are the same for every visitor, cached in this process.

A fragment sees its values and the allowed globals, and nothing of the visitor: no request, session or current
user. An undefined name raises an error instead of rendering as an empty string.
"""

from collections.abc import Callable, Iterable

from flask import Flask, has_request_context, request
from flask_caching import Cache
from jinja2 import StrictUndefined
from markupsafe import Markup

Value = str | int | bool | tuple[str, ...] | None


def init_app(app: Flask, cache: Cache, variant: Callable[[], tuple[str, ...]], allowed: Iterable[str]) -> None:
    """Give templates ``fragment(template, seconds, **values)``; call this after all globals are set.

    ``allowed`` names the globals that fragments may use. Their results may depend on their arguments and on what
    ``variant`` returns (the language, the theme), but not on the visitor.
    """
    environment = app.jinja_env.overlay(undefined=StrictUndefined)
    environment.globals = {name: app.jinja_env.globals[name] for name in allowed}
    # In this process even with CACHE_REDIS_URL: asking Redis takes longer than rendering a fragment.
    kind = "SimpleCache" if app.config["CACHE_TYPE"] != "NullCache" else "NullCache"
    cache.init_app(app, {"CACHE_TYPE": kind})
    with app.app_context():
        backend = cache.cache

    def fragment(template: str, seconds: int, **values: Value) -> Markup:
        # Links begin with the script root, which anybody can choose behind some proxies.
        mounted_at = request.environ.get("SCRIPT_NAME", "") if has_request_context() else ""
        key = repr(("fragment", template, mounted_at, variant(), values))
        html: str | None = backend.get(key)
        if html is None:
            html = environment.get_template(template).render(values)
            backend.set(key, html, timeout=seconds)
        # The template's environment has escaped every value.
        return Markup(html)  # noqa: S704

    app.jinja_env.globals["fragment"] = fragment
