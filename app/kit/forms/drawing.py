"""The HTML of forms, built by plain functions; ``macros/form_macros.html`` calls them.

A Jinja macro that checks half a dozen attributes of each field takes longer than the rest of a small page.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import get_flashed_messages
from flask_login import current_user
from markupsafe import Markup, escape
from wtforms import Field, Form
from wtforms.csrf.core import CSRFTokenField
from wtforms.fields import HiddenField
from wtforms.fields.core import Label

from app.kit.pages.icons import icon

# For password managers and on-screen keyboards (WCAG 1.3.5); a field's render_kw overrides them.
PASSWORDS = {"old_password": "current-password", "password": "current-password"}
NAMES = {"first_name": "given-name", "last_name": "family-name"}

NOTHING = Markup()
FILE_FIELDS = {"FileField", "MultipleFileField"}
# Flash categories that are shown in the form instead of the page, and the kind of message for each.
FORM_FLASHES = {"form-error": "error", "form-check-email": "warning", "form-info": "info", "form-success": "success"}
FLASH_HEADERS = {"error": "That did not work.", "warning": "Check your email."}


@dataclass(frozen=True)
class FormFields:
    """A form's fields, sorted by where they are drawn."""

    hidden: list[Field]
    shown: list[Field]
    buttons: list[Field]
    has_password: bool
    has_file: bool


def draw_form(
    form: Form,
    method: str,
    extra_classes: str,
    enctype: str | None,
    meters: Mapping[str, Callable[[Field], str]],
    cancel: Markup = NOTHING,
) -> Markup:
    """Return a whole form; ``meters`` maps a field's name to a macro that draws below it, ``cancel`` ends it."""
    fields = fields_of(form)
    parts = [_begin(form, fields, method, extra_classes, enctype)]
    parts += [form_message(messages, FLASH_HEADERS.get(kind), kind) for kind, messages in _form_flashes().items()]
    parts.append(form_message(form.form_errors, css_class="error"))
    first_invalid = next((field for field in fields.shown if field.errors), None)
    for field in fields.shown:
        parts.append(draw_field(field, autofocus=field is first_invalid))
        if field.short_name in meters:
            parts.append(Markup(meters[field.short_name](field)))  # noqa: S704 - a macro
    parts += [f'<div class="form__actions">{"".join(map(draw_field, fields.buttons))}{cancel}</div>', "</form>"]
    return _joined(parts)


def begin_form(form: Form, method: str, extra_classes: str, enctype: str | None) -> Markup:
    """Return the start tag of a form and its hidden fields."""
    return _joined([_begin(form, fields_of(form), method, extra_classes, enctype)])


def form_message(messages: Iterable[str], header: str | None = None, css_class: str = "") -> str:
    """Return a message about the form as a whole, or "" without messages."""
    if not messages:
        return ""
    role = "alert" if css_class == "error" else "status"
    heading = f"<strong>{escape(header)}</strong>" if header else ""
    lines = "".join(f"<p>{escape(message)}</p>" for message in messages)
    kind = escape(css_class or "info")
    return Markup(f'<div class="message message--{kind}" role="{role}" tabindex="-1">{heading}{lines}</div>')  # noqa: S704


def draw_field(field: Field, extra_classes: str = "", autofocus: bool = False) -> Markup:
    """Return a field with its label, hint and errors."""
    draw = _KINDS.get(field.type, _draw_labeled)
    return Markup(draw(field, escape(extra_classes), autofocus))  # noqa: S704 - parts are escaped below


def draw_input(field: Field, autofocus: bool = False) -> Markup:
    """Return a field's input alone, or the button of a SubmitField."""
    if field.type == "SubmitField":
        return Markup(_draw_button(field, "", autofocus))  # noqa: S704 - escaped there
    html = field(**input_attributes(field, autofocus))
    return _with_show_button(field, html) if field.type == "PasswordField" else Markup(html)  # noqa: S704 - WTForms'


def fields_of(form: Form) -> FormFields:
    """Return a form's fields sorted by kind, each kind in the order of the form."""
    hidden: list[Field] = []
    shown: list[Field] = []
    buttons: list[Field] = []
    for field in form:
        kind = hidden if is_hidden_field(field) else buttons if field.type == "SubmitField" else shown
        kind.append(field)
    kinds = {field.type for field in shown}
    return FormFields(hidden, shown, buttons, "PasswordField" in kinds, not kinds.isdisjoint(FILE_FIELDS))


def has_password(form: Form) -> bool:
    """Return whether a form has a password field."""
    return any(field.type == "PasswordField" for field in form)


def is_hidden_field(field: Field) -> bool:
    """Return whether a form field is not shown."""
    return isinstance(field, HiddenField)


def input_attributes(field: Field, autofocus: bool = False) -> dict[str, Any]:
    """Return the attributes of a field's input: autocomplete, keyboard, description and error state.

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


def _begin(form: Form, fields: FormFields, method: str, extra_classes: str, enctype: str | None) -> str:
    enctype = enctype or ("multipart/form-data" if fields.has_file else None)
    encoding = f' enctype="{escape(enctype)}"' if enctype else ""
    start = f'<form class="form {escape(extra_classes)}" method="{escape(method.lower())}"{encoding} data-guard>'
    return start + "".join(map(_draw_hidden, fields.hidden)) + _user_name(form, fields)


def _draw_hidden(field: Field) -> str:
    if not isinstance(field, CSRFTokenField):
        return str(field())
    # Built here: WTForms takes longer for this one input than for the rest of an empty form.
    name = f'id="{escape(field.id)}" name="{escape(field.name)}"'
    return f'<input type="hidden" {name} value="{field.current_token}">'


def _user_name(form: Form, fields: FormFields) -> str:
    """Return a hidden input that tells password managers whose password this is, or "" when that is not known."""
    if not fields.has_password or "email" in form:
        return ""
    email = getattr(getattr(form, "owner", None) or current_user, "email", None)
    if not email:
        return ""
    value = f'value="{escape(email)}" aria-label="Email address"'
    return f'\n<input type="email" autocomplete="username" {value} readonly hidden>'


def _form_flashes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    flashed: list[Any] = get_flashed_messages(with_categories=True, category_filter=FORM_FLASHES)
    for category, message in flashed:
        found.setdefault(FORM_FLASHES[category], []).append(message)
    return found


def _draw_labeled(field: Field, classes: str, autofocus: bool) -> str:
    return (
        f'<div class="field {classes}">\n  {_label(field)}{_hint(field)}\n'
        f"  {draw_input(field, autofocus)}{_errors(field)}\n</div>"
    )


def _draw_check(field: Field, classes: str, autofocus: bool) -> str:
    box = f'<div class="check">{draw_input(field, autofocus)}{_label(field)}</div>'
    return f'<div class="field field--check {classes}">\n  {box}{_hint(field)}{_errors(field)}\n</div>'


def _draw_choices(field: Any, classes: str, _autofocus: bool) -> str:
    described_by = input_attributes(field).get("aria-describedby")
    description = f' aria-describedby="{escape(described_by)}"' if described_by else ""
    options = "".join(_draw_check(option, "", False) for option in field)
    legend = f"<legend>{escape(field.label.text)}</legend>"
    inside = f"{legend}{_hint(field)}{options}{_errors(field)}"
    return f'<fieldset class="field {classes}"{description}>\n  {inside}\n</fieldset>'


def _draw_button(field: Field, _classes: str, _autofocus: bool) -> str:
    css_class = escape((field.render_kw or {}).get("class", "button--primary"))
    label = escape(field.label.text)
    name = f'name="{escape(field.name)}" id="{escape(field.id)}"'
    return f'<button class="button {css_class}" {name} value="{label}">{label}</button>'


def _with_show_button(field: Field, html: str) -> Markup:
    of_what = f'<span class="visually-hidden"> {escape(field.label.text.lower())}</span>'
    attributes = f'class="password__show needs-script" aria-pressed="false" aria-controls="{escape(field.id)}"'
    return Markup(  # noqa: S704 - WTForms' input, and parts that are escaped above
        f'<div class="password">{html}<button type="button" {attributes}>Show{of_what}</button>\n</div>\n'
        '<p class="field__caps-lock" role="status" hidden>Caps Lock is on.</p>'
    )


def _label(field: Field) -> str:
    if type(field.label) is not Label:
        return str(field.label)
    return f'<label for="{escape(field.label.field_id)}">{escape(field.label.text)}</label>'


def _hint(field: Field) -> str:
    return (
        f'<p class="field__hint" id="{escape(field.id)}-hint">{escape(field.description)}</p>'
        if field.description
        else ""
    )


def _errors(field: Field) -> str:
    if not field.errors:
        return ""
    words = escape(" ".join(map(str, field.errors)))
    return f'<p class="field__error" id="{escape(field.id)}-error">{icon("alert")}{words}</p>'


def _joined(parts: Iterable[str]) -> Markup:
    return Markup("\n".join(part for part in parts if part))  # noqa: S704 - the parts are escaped where they are made


_KINDS: dict[str, Callable[[Any, str, bool], str]] = {
    "SubmitField": _draw_button,
    "BooleanField": _draw_check,
    "CheckboxesField": _draw_choices,
    "RadioField": _draw_choices,
}
