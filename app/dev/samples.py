"""The data of the components page: every field in every state, a list, and the colors."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    FileField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
)
from wtforms.widgets import PasswordInput

from app.assets import READ_ON
from app.kit.assets import contrast
from app.kit.forms.form import Form
from app.kit.pages.table import Table

CHOICES = [SelectChoice("one", "The first"), SelectChoice("two", "The second")]
TYPED: dict[str, Any] = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "password": "visible-to-nobody",
    "count": 12,
    "day": date(2026, 1, 5),
    "choice": "two",
    "way": "two",
    "text": "Several lines,\nas long as they need to be.",
    "agreed": True,
}
ERRORS = {
    "email": "This is no email address. It looks like name@example.com.",
    "agreed": "Tick the box to go on.",
}
FLASHES = ["error", "warning", "info", "success", "message"]


class SampleForm(Form):
    """One field of each kind."""

    name = StringField("Name", description="A hint says what to type, before it is typed.")
    email = EmailField("Email address")
    password = PasswordField("Password", widget=PasswordInput(hide_value=False))
    count = IntegerField("Number")
    day = DateField("Day")
    choice = SelectField("Choice", choices=CHOICES)
    way = RadioField("One of these", choices=CHOICES, default="one", description="A hint for all of them.")
    text = TextAreaField("Text")
    file = FileField("File", description="A picture of at most 1 MB.")
    agreed = BooleanField("A box to tick")
    submit = SubmitField("Send")


class ReadOnlyForm(Form):
    """Fields that can be read and copied, but not changed."""

    name = StringField("Name", render_kw={"readonly": True})
    text = TextAreaField("Text", render_kw={"readonly": True})


@dataclass(frozen=True)
class Row:
    """A row of the sample list."""

    name: str
    state: str
    tone: str
    size: int
    changed_at: datetime


@dataclass(frozen=True)
class Pair:
    """A foreground and a background color: the contrast in light and dark, and the minimum of the build."""

    color: str
    ground: str
    least: float
    light: float
    dark: float


def forms() -> dict[str, Form]:
    """Return the sample form in each state that a field can be in."""
    return {
        "Empty fields": SampleForm(prefix="empty-"),
        "Filled fields": SampleForm(prefix="filled-", data=TYPED),
        "Fields with errors": _invalid_form(),
        "Disabled fields": SampleForm(prefix="disabled-", data=TYPED),
        "Read-only fields": ReadOnlyForm(prefix="read-only-", data=TYPED),
    }


def _invalid_form() -> Form:
    form = SampleForm(prefix="invalid-", data={"email": "ada@"})
    for field in form:
        if field.type not in {"SubmitField", "CSRFTokenField"}:
            field.errors = [ERRORS.get(field.short_name, f"What is wrong with “{field.label.text}”, and its cure.")]
    # A document may have only one autofocus, and this page has it at the top.
    form["name"].render_kw = {"autofocus": False}
    return form


def table() -> Table:
    """Return a page in the middle of a long list, sorted by name."""
    # Older than 30 days, so that the page always shows the same date.
    changed_at = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        Row("Ada Lovelace", "ready", "success", 1204, changed_at),
        Row("Charles Babbage", "waiting", "warning", 17, changed_at),
        Row("Grace Hopper", "given up", "danger", 0, changed_at),
    ]
    return Table(
        rows,
        total=1204,
        is_more=False,
        first=51,
        previous="sample",
        following="sample",
        sort="name",
        direction="asc",
        search="a",
        chosen={},
    )


def pairs(colors: dict[str, tuple[str, str]]) -> list[Pair]:
    """Return the color pairs that the build checks. ``colors`` maps each name to (light, dark)."""
    return [
        Pair(color, ground, least, *map(contrast.ratio, colors[color], colors[ground]))
        for color, ground, least in READ_ON
        if color in colors and ground in colors
    ]
