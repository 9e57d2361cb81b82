"""The globals and filters of the templates."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, has_request_context, request, url_for
from flask_login import current_user
from markupsafe import Markup
from wtforms import Form

from app import impersonation
from app.assets import script
from app.extensions import fragment_cache
from app.kit.assets.manifest import AssetManifest
from app.kit.core.counting import how_many
from app.kit.forms import drawing
from app.kit.http.redirects import url_with_next
from app.kit.pages import fragments, moments
from app.kit.pages.icons import icon
from app.kit.pages.initials import initials
from app.models import Permission, Role
from app.proof_of_work import without_script

THEME_COOKIE = "theme"
COLOR_THEMES = {"light", "dark"}
# The globals of cached fragments. None of them depends on the visitor.
FRAGMENT_GLOBALS = ("asset_url", "config", "has_area", "icon", "menu_links", "script", "theme_color", "url_for")

NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def init_app(app: Flask) -> None:
    """Register the globals and filters of the templates with ``app``."""
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
        how_many=how_many,
        icon=icon,
        impersonation=impersonation.current,
        index_for_role=index_for_role,
        is_hidden_field=drawing.is_hidden_field,
        locale=locale,
        Permission=Permission,
        macros=macros,
        url_with_next=url_with_next,
        without_script=without_script,
    )
    environment.filters.update(
        badge=badge,
        duration=duration,
        exact_time=moments.exact_time,
        initials=initials,
        markdown=markdown,
        time=time_element,
    )
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
    meters = {strength_of: macros("check_password").password_check} if strength_of else {}
    link = Markup('<a class="button" href="{}">{}</a>').format(cancel, cancel_label) if cancel else Markup()
    html = drawing.draw_form(form, method, extra_classes, enctype, meters, link)
    if drawing.has_password(form):
        html += script("password_js")
    # A form that asks for a proof of work (proof_of_work.py).
    return html + macros("proof").task(form.task) if getattr(form, "task", "") else html


def macros(name: str) -> Any:
    """Return the macros of ``macros/<name>.html``, as ``import`` does, which compares all globals first (20 µs)."""
    return current_app.jinja_env.get_template(f"macros/{name}.html").module


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
    theme = request.cookies.get(THEME_COOKIE, "") if has_request_context() else ""
    return theme if theme in COLOR_THEMES else ""


def has_area(name: str) -> bool:
    """Return whether the application has the area called ``name``. Production has no "dev"."""
    return name in current_app.blueprints


def index_for_role(role: Role) -> str:
    """Return the URL of the home page of ``role``."""
    return url_for(f"{role.index}.index")


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
    """Return a ``<time>`` element such as "5 minutes ago", with the exact time in the reader's zone as its title."""
    # Emails have no current user: they say whose zone it is, as in ``{{ happened_at|exact_time(user.zone) }}``.
    return moments.time_element(moment, getattr(current_user, "zone", UTC))


def duration(length: timedelta) -> str:
    """Return a length of time in words, such as "one hour", "seven days" or "15 minutes"."""
    whole = round(length.total_seconds())
    unit, seconds = next((row for row in moments.UNITS if whole >= row[1] and whole % row[1] == 0), moments.UNITS[-1])
    count = whole // seconds
    number = NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)
    return f"{number} {unit}" if count == 1 else f"{number} {unit}s"
