"""The globals, filters and tests of the templates."""

from __future__ import annotations

from calendar import month_name
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import flask
from flask import Flask, current_app, request
from flask_login import current_user
from markupsafe import Markup
from wtforms import Field, Form

from app.assets import script
from app.extensions import fragment_cache
from app.kit.assets.manifest import AssetManifest
from app.kit.forms import drawing
from app.kit.pages import fragments
from app.kit.pages.icons import icon
from app.models import Role

THEME_COOKIE = "theme"
COLOR_THEMES = {"light", "dark"}
# The globals of cached fragments. None of them depends on the visitor.
FRAGMENT_GLOBALS = ("asset_url", "config", "has_area", "icon", "script", "theme_color", "url_for")

MINUTE, HOUR, DAY = 60, 3600, 86400
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
# Copied once, because calendar looks up each name in the locale.
MONTHS = tuple(month_name)


def init_app(app: Flask) -> None:
    """Register the globals, filters and tests of the templates with ``app``."""
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals.update(
        color_theme=color_theme,
        has_area=has_area,
        # Imported macros do not see the context that Flask-Login adds.
        current_user=current_user,
        draw_field=drawing.draw_field,
        draw_form_message=drawing.form_message,
        draw_form_start=drawing.begin_form,
        draw_input=drawing.draw_input,
        draws_password=drawing.has_password,
        render_form=render_form,
        icon=icon,
        index_for_role=index_for_role,
        is_hidden_field=drawing.is_hidden_field,
        locale=locale,
    )
    environment.filters.update(badge=badge, duration=duration, markdown=markdown, time=time_element)
    environment.tests["equalto"] = lambda value, other: value == other
    fragments.init_app(app, fragment_cache, look, FRAGMENT_GLOBALS)


def render_form(
    form: Form,
    method: str = "POST",
    extra_classes: str = "",
    enctype: str | None = None,
    strength_of: str = "",
    cancel: str = "",
    cancel_label: str = "Cancel",
) -> Markup:
    """Return a whole form with its messages; ``strength_of`` names the field whose password gets a meter.

    ``cancel`` is the URL of the page to which a link beside the button leads back.

    It does the same as the macro ``render_form`` in ``macros/form_macros.html``, but saves the template's import
    (30 µs).
    """
    meters = {strength_of: _password_meter} if strength_of else {}
    link = Markup('<a class="button" href="{}">{}</a>').format(cancel, cancel_label) if cancel else Markup()
    html = drawing.draw_form(form, method, extra_classes, enctype, meters, link)
    return html + script("password_js") if drawing.has_password(form) else html


def _password_meter(field: Field) -> str:
    macros = current_app.jinja_env.get_template("macros/check_password.html").module
    html: str = macros.password_check(field)  # type: ignore[attr-defined]
    return html


def look() -> tuple[str, ...]:
    """Return what every page depends on besides its URL: the language, the theme and the built assets."""
    manifest: AssetManifest = current_app.extensions["assets"]
    return locale(), color_theme(), manifest.build


def locale() -> str:
    """Return the language of this page. A translated site returns the visitor's, for example from Flask-Babel."""
    return "en"


def color_theme() -> str:
    """Return "light" or "dark" if this browser chose one, else an empty string: the system's theme.

    A script stores the choice in a cookie, so that the page has the right colors from the start.
    """
    theme = request.cookies.get(THEME_COOKIE, "") if request else ""
    return theme if theme in COLOR_THEMES else ""


def has_area(name: str) -> bool:
    """Return whether the application has the area called ``name``. Production has no "dev"."""
    return name in flask.current_app.blueprints


def index_for_role(role: Role) -> str:
    """Return the URL of the home page of ``role``."""
    return flask.url_for(f"{role.index}.index")


@lru_cache(maxsize=64)
def markdown(text: str) -> Markup:
    """Return the safe HTML of text that an administrator wrote; see :mod:`app.kit.pages.markdown`."""
    # Imported here because only edited pages need it.
    from app.kit.pages.markdown import render

    return render(text)


@lru_cache(maxsize=256)
def badge(text: str, tone: str = "neutral") -> Markup:
    """Return a label as HTML; ``tone`` is neutral, success, warning, danger or info."""
    return Markup('<span class="badge badge--{}">{}</span>').format(tone, text)


def time_element(moment: datetime | None) -> Markup:
    """Return a ``<time>`` element such as "5 minutes ago", with the time in UTC as its title; "–" for None."""
    return Markup("–") if moment is None else _time_element(moment.astimezone(UTC), relative_time(moment))


@lru_cache(maxsize=2000)
def _time_element(exact: datetime, words: str) -> Markup:
    text = exact.isoformat(timespec="seconds")
    title = f"{_date(exact)}, {text[11:19]} UTC"
    # The values are digits and our own words, so they need no escaping; Markup.format would slow down long lists.
    return Markup(f'<time datetime="{text}" title="{title}">{words}</time>')  # noqa: S704


def relative_time(moment: datetime, now: datetime | None = None) -> str:
    """Return the distance of ``moment`` from ``now`` in words, or its date in UTC beyond 30 days."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    distance = abs(seconds)
    if distance < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    if distance >= 30 * DAY:
        return _date(moment)
    words = _in_words(distance)
    return f"{words} ago" if seconds > 0 else f"in {words}"


def _date(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month]} {moment.year}"


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
