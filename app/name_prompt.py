"""The name of an administrator who is created on the command line: from options, or asked for on a terminal."""

import sys
from collections.abc import Callable
from functools import wraps

import click
from werkzeug.datastructures import MultiDict
from wtforms import Form

from app.kit.forms.fields import name_field
from app.models.user_profile import NAME_MAX_LENGTH

AskName = Callable[[], tuple[str, str]]


class _NameForm(Form):
    """The same rules as on the site."""

    first_name = name_field("First name", "off", NAME_MAX_LENGTH)
    last_name = name_field("Last name", "off", NAME_MAX_LENGTH)


def default_name() -> tuple[str, str]:
    """Return the name of an administrator whom nobody gave one."""
    return "Site", "Administrator"


def with_name(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options ``--first-name`` and ``--last-name``, and pass ``ask_name``, which asks for what is missing."""

    @click.option("--first-name", help="A new administrator's; on a terminal it is asked for.")
    @click.option("--last-name", help="The same.")
    @wraps(command)
    def named(first_name: str | None, last_name: str | None, **options: object) -> None:
        command(ask_name=lambda: _ask_name(first_name, last_name), **options)

    return named


def _ask_name(*given: str | None) -> tuple[str, str]:
    # A script that sets up a site must not wait for an answer.
    ask = click.prompt if sys.stdin.isatty() else lambda _label, default: default
    labels = ("First name", "Last name")
    first, last = (
        name or ask(label, default=default) for name, label, default in zip(given, labels, default_name(), strict=True)
    )
    form = _NameForm(MultiDict([("first_name", first), ("last_name", last)]))
    if not form.validate():
        raise click.ClickException(f"The name {first} {last}: {next(iter(form.errors.values()))[0]}")
    return form.first_name.data, form.last_name.data
