"""The commands of `manage.py` for whoever runs a site: to release, back up and restore it, and to find what is wrong."""

import os
from collections.abc import Callable
from typing import TypeVar

import click
from flask import current_app

from app import setup
from app.extensions import db
from app.kit.core.command_line import Section
from app.kit.http import caching

Result = TypeVar("Result")

operating = Section("Running a site")


@operating.command("release")
def release() -> None:
    """Migrate; insert the roles.

    A deployment runs this before the new code serves. Of several at once, one runs and the others wait. It also clears
    the cache in CACHE_REDIS_URL.
    """
    _name_the_target()
    setup.prepare_database()
    caching.clear(current_app)


@operating.command("setup_prod")
def setup_prod() -> None:
    """Migrate; make the site's administrator.

    ADMIN_EMAIL and ADMIN_PASSWORD say who it is; the password has to be strong.
    """
    _name_the_target()
    setup.prepare_database()
    made = exit_on_refusal(setup.ensure_production_administrator)
    email = current_app.config["ADMIN_EMAIL"]
    click.echo(f"{email} is an administrator now." if made else f"{email} exists already; nothing was changed.")


def exit_on_refusal(action: Callable[[], Result]) -> Result:
    """Return the result of ``action``, or end the command with the message of its :class:`SetupError`."""
    try:
        return action()
    except setup.SetupError as error:
        raise click.ClickException(str(error)) from error


def _name_the_target() -> None:
    """Print the environment and its database. Refuse an environment that nobody named: it may be another one."""
    if current_app.config["NAME"] == "development" and not os.environ.get("FLASK_CONFIG"):
        raise click.ClickException(
            "FLASK_CONFIG is missing. Set it to the environment that this command is for: production, heroku or unix "
            "on a server. On your own machine, manage.py dev does all of this."
        )
    # Without the query, in which drivers accept passwords too.
    database = db.engine.url.set(query={}).render_as_string(hide_password=True)
    click.echo(f"Environment: {current_app.config['NAME']}. Database: {database}")
