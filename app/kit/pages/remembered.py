"""Pieces of pages that come out the same for everybody: rendered once per process, then remembered.

A page's head, menus and empty form fields take most of the time of a small page. What is
remembered depends on its arguments alone; what somebody typed into a field is never kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, has_request_context, request
from markupsafe import Markup
from wtforms import Field

# Titles of pages about one thing (a user, an email) make variants; the oldest are forgotten.
MOST_PARTIALS = 500
MOST_FIELDS = 500
# Fields whose HTML follows from their definition alone as long as nothing was typed and nothing is wrong.
PLAIN_FIELDS = {"BooleanField", "EmailField", "PasswordField", "StringField", "SubmitField", "TelField"}
SEQUENCES = (list, tuple)


def init_app(app: Flask) -> None:
    """Give templates ``remembered(partial, **values)`` and ``remembered_field(macro, field, …)``.

    While templates are reloaded on every save nothing is remembered.
    """
    reloads = app.debug or app.testing
    app.jinja_env.globals["remembered"] = _partials(app, 0 if reloads else MOST_PARTIALS)
    app.jinja_env.globals["remembered_field"] = _draw_field if reloads else _fields()


def _partials(app: Flask, most: int) -> Callable[..., Markup]:
    @lru_cache(maxsize=most)
    def render(partial: str, values: tuple[tuple[str, Any], ...], _mounted_at: str) -> Markup:
        # The template's own environment escapes every value.
        return Markup(app.jinja_env.get_template(partial).render(dict(values)))  # noqa: S704

    def remembered(partial: str, **values: Any) -> Markup:
        # Links begin with it, and behind some proxies anybody can send it: one visitor's must not be everybody's.
        mounted_at = request.environ.get("SCRIPT_NAME", "") if has_request_context() else ""
        return render(partial, tuple((name, _hashable(value)) for name, value in values.items()), mounted_at)

    return remembered


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, SEQUENCES) else value


def _draw_field(macro: Callable[..., Markup], field: Field, extra_classes: str, autofocus: bool) -> Markup:
    return macro(field, extra_classes, autofocus)


def _fields() -> Callable[..., Markup]:
    known: dict[Any, Markup] = {}

    def remembered_field(macro: Callable[..., Markup], field: Field, extra_classes: str, autofocus: bool) -> Markup:
        if field.data or field.errors or field.type not in PLAIN_FIELDS:
            return macro(field, extra_classes, autofocus)
        key = (extra_classes, autofocus, *_definition(field))
        html = known.get(key)
        if html is None:
            if len(known) >= MOST_FIELDS:
                known.clear()
            html = known[key] = macro(field, extra_classes, autofocus)
        return html

    return remembered_field


def _definition(field: Field) -> tuple[Any, ...]:
    """Everything that the HTML of an empty field depends on."""
    attributes = tuple((field.render_kw or {}).items())
    flags = tuple(vars(field.flags).items())
    return type(field.widget), field.id, field.name, str(field.label.text), field.description, attributes, flags
