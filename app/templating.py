"""What templates can use besides what Flask gives them."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import flask
from flask import Flask, get_flashed_messages, has_request_context, request
from flask_login import current_user
from markupsafe import Markup
from wtforms import Field, Form
from wtforms.fields import HiddenField

from app.kit.pages import remembered
from app.kit.pages.icons import icon
from app.models import Role

COLOR_THEMES = {"light", "dark"}

# What password managers and on-screen keyboards go by (WCAG 1.3.5); a field's render_kw overrules it.
PASSWORDS = {"old_password": "current-password", "password": "current-password"}
NAMES = {"first_name": "given-name", "last_name": "family-name"}

FILE_FIELDS = {"FileField", "MultipleFileField"}
# What a view flashes for the form instead of the page, and the kind of message it becomes.
FORM_FLASHES = {"form-error": "error", "form-check-email": "warning", "form-info": "info", "form-success": "success"}

MINUTE, HOUR, DAY = 60, 3600, 86400
MOST_KNOWN_URLS = 5000
NUMBER = {int}
SMALL_NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
# Copied once: calendar looks each name up in the locale.
MONTHS = tuple(month_name)


def init_app(app: Flask) -> None:
    """Register the globals, filters and tests of the templates with ``app``."""
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals.update(
        color_theme=color_theme,
        fields_of=fields_of,
        form_flashes=form_flashes,
        has_area=has_area,
        icon=icon,
        # Imported macros do not see what Flask-Login hands to each template.
        current_user=current_user,
        index_for_role=index_for_role,
        input_attributes=input_attributes,
        is_hidden_field=is_hidden_field,
        url_for=remembering_url_for(app),
    )
    remembered.init_app(app)
    environment.filters.update(badge=badge, duration=duration, markdown=markdown, time=time_element)
    environment.tests["equalto"] = lambda value, other: value == other


def remembering_url_for(app: Flask) -> Callable[..., str]:
    """Answer a ``url_for`` that remembers addresses without values, or with numbers only.

    A page draws its navigation and a link per row: most of its addresses. Those with texts in them
    are not kept, because a text may be a token.
    """
    known: dict[Any, str] = app.extensions.setdefault("known_urls", {})

    def url_for(endpoint: str, **values: Any) -> str:
        is_known_kind = NUMBER.issuperset(map(type, values.values())) and endpoint[0] != "."
        if not is_known_kind or app.url_default_functions or not has_request_context():
            return flask.url_for(endpoint, **values)
        key = (request.environ.get("SCRIPT_NAME"), endpoint, *values.items())
        url = known.get(key)
        if url is None:
            if len(known) >= MOST_KNOWN_URLS:
                known.clear()
            url = known[key] = flask.url_for(endpoint, **values)
        return url

    return url_for


def color_theme() -> str:
    """Answer "light" or "dark" when this browser chose one, "" when it follows its system.

    The choice is a cookie that a script writes: the first byte of the page already has the right colors.
    """
    theme = request.cookies.get("theme", "") if request else ""
    return theme if theme in COLOR_THEMES else ""


def has_area(name: str) -> bool:
    """Tell whether the application has the area called ``name``: "dev" is not there in production."""
    return name in flask.current_app.blueprints


def index_for_role(role: Role) -> str:
    """Answer the address of the page where users of ``role`` begin."""
    return flask.url_for(f"{role.index}.index")


@dataclass(frozen=True)
class FormFields:
    """A form's fields by where they are drawn."""

    hidden: list[Field]
    shown: list[Field]
    buttons: list[Field]
    first_invalid: Field | None
    has_password: bool
    has_file: bool


def fields_of(form: Form) -> FormFields:
    """Sort a form's fields, in the order in which the form names them."""
    # Here, because a template that asks the same of every field takes as long as all the rest of a form.
    hidden: list[Field] = []
    shown: list[Field] = []
    buttons: list[Field] = []
    for field in form:
        kind = hidden if is_hidden_field(field) else buttons if field.type == "SubmitField" else shown
        kind.append(field)
    kinds = {field.type for field in shown}
    first_invalid = next((field for field in shown if field.errors), None)
    has_file = not kinds.isdisjoint(FILE_FIELDS)
    return FormFields(hidden, shown, buttons, first_invalid, "PasswordField" in kinds, has_file)


def form_flashes() -> dict[str, list[str]]:
    """Answer what was flashed for the form of this page ("form-error" …), by kind ("error" …)."""
    found: dict[str, list[str]] = {}
    flashed: list[Any] = get_flashed_messages(with_categories=True, category_filter=FORM_FLASHES)
    for category, message in flashed:
        found.setdefault(FORM_FLASHES[category], []).append(message)
    return found


def is_hidden_field(field: Field) -> bool:
    """Tell whether a form field is not shown."""
    return isinstance(field, HiddenField)


def input_attributes(field: Field, autofocus: bool = False) -> dict[str, Any]:
    """Answer the attributes of a field's input: what fills it, which keyboard, what describes it.

    ``autofocus`` puts the cursor there; a form passes it for its first field with an error.
    """
    attributes: dict[str, Any] = dict(_attributes_of_kind(field.type, field.short_name))
    described_by = [f"{field.id}-hint"] if field.description else []
    if field.errors:
        described_by.append(f"{field.id}-error")
        attributes["aria-invalid"] = "true"
    if described_by:
        attributes["aria-describedby"] = " ".join(described_by)
    if autofocus:
        attributes["autofocus"] = True
    return {name: value for name, value in attributes.items() if name not in (field.render_kw or {})}


@lru_cache(maxsize=512)
def _attributes_of_kind(kind: str, name: str) -> dict[str, str]:
    if kind == "PasswordField":
        return {"autocomplete": PASSWORDS.get(name, "new-password"), "autocapitalize": "none", "spellcheck": "false"}
    if kind == "EmailField" or name == "email":
        return {"autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
    if kind in {"TelField", "URLField"}:
        return {"inputmode": kind.removesuffix("Field").lower()}
    if kind in {"IntegerField", "DecimalField"}:
        return {"inputmode": "numeric" if kind == "IntegerField" else "decimal"}
    return {"autocomplete": NAMES[name]} if name in NAMES else {}


@lru_cache(maxsize=64)
def markdown(text: str) -> Markup:
    """Answer the safe HTML of text that an administrator wrote; see :mod:`app.kit.pages.markdown`."""
    # Imported here: only edited pages need it.
    from app.kit.pages.markdown import render

    return render(text)


@lru_cache(maxsize=256)
def badge(text: str, tone: str = "neutral") -> Markup:
    """Answer a small label; ``tone`` is neutral, success, warning, danger or info."""
    return Markup('<span class="badge badge--{}">{}</span>').format(tone, text)


def time_element(moment: datetime | None) -> Markup:
    """Answer a moment as a ``<time>`` element, such as "5 minutes ago", with UTC in its title; "–" for none."""
    return Markup("–") if moment is None else _time_element(moment.astimezone(UTC), relative_time(moment))


@lru_cache(maxsize=2000)
def _time_element(exact: datetime, words: str) -> Markup:
    text = exact.isoformat(timespec="seconds")
    title = f"{text[:10]} {text[11:19]} UTC"
    # Digits and our own words; Markup.format would take most of the time of a long list.
    return Markup(f'<time datetime="{text}" title="{title}">{words}</time>')  # noqa: S704


def relative_time(moment: datetime, now: datetime | None = None) -> str:
    """Answer how far ``moment`` is from ``now``, in words; beyond 30 days, its date in UTC."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    distance = abs(seconds)
    if distance < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    if distance >= 30 * DAY:
        return f"{moment.day} {MONTHS[moment.month]} {moment.year}"
    words = _in_words(distance)
    return f"{words} ago" if seconds > 0 else f"in {words}"


def duration(length: timedelta) -> str:
    """Return a length of time in words, such as "one hour", "seven days" or "15 minutes"."""
    count, unit = next(
        (int(length.total_seconds() // seconds), unit)
        for unit, seconds in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", 1))
        if length.total_seconds() % seconds == 0 and length.total_seconds() >= seconds
    )
    number = SMALL_NUMBERS[count] if count < len(SMALL_NUMBERS) else str(count)
    return f"{number} {unit}" if count == 1 else f"{number} {unit}s"


def _in_words(seconds: float) -> str:
    for unit, length in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "a moment"
