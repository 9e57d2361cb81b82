"""The commands of `manage.py` for whoever runs a site: release it, back it up, find what is wrong."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click
from dotenv import dotenv_values
from flask import current_app
from flask.cli import ScriptInfo

from app import backups, doctor, encrypted_data, maintenance, second_factors, setup
from app.extensions import db
from app.kit.core.command_line import Section
from app.kit.core.counting import how_many
from app.kit.core.environment import ConfigError, load_settings_file
from app.kit.core.finding import FAILURE, OK, WARNING, Finding
from app.kit.db import search_index
from app.kit.http import caching
from app.models import User
from app.name_prompt import AskName, with_name

operating = Section("Running a site")
# Written by development/site.py.
RUNNING_SITE = Path("instance/dev.env")


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
@with_name
def setup_prod(ask_name: AskName) -> None:
    """Migrate; make the site's administrator.

    ADMIN_EMAIL and ADMIN_PASSWORD say who it is; the password has to be strong.
    """
    _name_the_target()
    setup.prepare_database()
    made = setup.ensure_production_administrator(ask_name)
    email = current_app.config["ADMIN_EMAIL"]
    click.echo(f"{email} is an administrator now." if made else f"{email} exists already; nothing was changed.")


@operating.command("doctor", needs_app=False)
@click.option("--production", is_flag=True, help="Read .env.production instead of .env.")
@click.option(
    "--env-file", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Read this file instead."
)
@click.option("--send", metavar="ADDRESS", default="", help="Send a test email to ADDRESS.")
@click.pass_obj
def doctor_command(info: ScriptInfo, production: bool, env_file: Path | None, send: str) -> None:
    """Find what is wrong, and say what to do.

    Exits with 1 if anything is a failure. Warnings are not.
    """
    file = env_file or Path(".env.production" if production else ".env")
    if production or env_file:
        _read_instead(file)
    elif (os.environ.get("FLASK_CONFIG") or "development") == "development":
        # Only `manage.py dev` knows its port and its queue.
        os.environ.update({name: value for name, value in dotenv_values(RUNNING_SITE).items() if value})
    # Its lines say all; what the checks themselves log would hide them.
    logging.disable(logging.CRITICAL)
    try:
        with info.load_app().app_context():
            findings = [_shown(finding) for finding in doctor.examine(file, send)]
    except ConfigError as error:
        findings = [_shown(Finding(FAILURE, "settings", problem)) for problem in error.problems]
    finally:
        logging.disable(logging.NOTSET)
    sys.exit(int(FAILURE in findings))


def _read_instead(file: Path) -> None:
    """Let the settings come from ``file``, and not from .env, which was read at the start."""
    if not file.exists():
        raise click.ClickException(f"There is no file {file}. Copy .env.example, or name another with --env-file.")
    for name, value in dotenv_values(".env").items():
        if os.environ.get(name) == value:
            del os.environ[name]
    if problems := load_settings_file(file):
        raise ConfigError(problems)
    os.environ.update({"FLASK_CONFIG": "production"} | {k: v for k, v in dotenv_values(file).items() if v})


def _shown(finding: Finding) -> str:
    color = {OK: "green", WARNING: "yellow", FAILURE: "red"}[finding.level]
    click.echo(f"{click.style(finding.level.ljust(8), fg=color)} {finding.name}: {finding.text}")
    if finding.cure:
        click.echo(f"{'':9}{finding.cure}")
    return finding.level


@operating.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write all rows and stored files to FILE, while the site runs."""
    _name_the_target()
    _tell_errors(lambda: backups.back_up(file, click.echo))
    click.echo(f"{file} is complete: {file.stat().st_size / 1_000_000:.1f} MB, read again after writing.")
    click.echo("DATA_KEYS are not in it: keep them elsewhere, or what they encrypted is lost.")


@operating.command("restore")
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
def restore(file: Path) -> None:
    """Fill an empty database from FILE, and migrate it."""
    _name_the_target()
    _tell_errors(lambda: backups.restore(file, click.echo))
    if not encrypted_data.is_readable():
        click.echo("DATA_KEYS are not those of this backup: put them back, or no authenticator app works.")
    click.echo("Everything is restored. If the site serves already, restart it.")


@operating.command("reindex")
def reindex() -> None:
    """Make the index of the search anew."""
    _name_the_target()
    with db.engine.begin() as connection:
        for done in search_index.reindex(connection, db.metadata):
            click.echo(f"\r{how_many(done, 'row')}", nl=False)
    click.echo("\nThe search finds every row.")


@operating.command("rotate_data_keys")
def rotate_data_keys() -> None:
    """Encrypt everything anew with the first of DATA_KEYS.

    Afterwards the older keys can be removed. It can be interrupted, and run again.
    """
    _name_the_target()
    done = unreadable = 0
    for progress in encrypted_data.encrypt_anew():
        done, unreadable = progress
        click.echo(f"\r{how_many(done, 'row')}", nl=False)
    click.echo(f"\n{how_many(done - unreadable, 'secret')} encrypted with the first key.")
    if unreadable:
        raise click.ClickException(f"{unreadable} cannot be read: put the key that encrypted them back into DATA_KEYS.")


@operating.command("reset_second_factor")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset_second_factor(email: str, yes: bool) -> None:
    """Remove all second factors of a user who is locked out.

    The user is logged out, gets an email, and logs in without a second factor.
    """
    _name_the_target()
    user = User.with_email(email)
    if user is None:
        raise click.ClickException(f"Nobody has the address {email}.")
    if not second_factors.has_factor(user):
        raise click.ClickException(f"{user.email} has no second factor.")
    if not yes:
        click.confirm(f"Remove every passkey, authenticator app and recovery code of {user.email}?", abort=True)
    second_factors.remove_all(user, "an administrator on the command line", by="command line")
    db.session.commit()
    click.echo(f"{user.email} logs in without a second factor now.")


@operating.command("maintenance")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--message", default=maintenance.MESSAGE, show_default=True, help="What visitors read meanwhile.")
def maintenance_command(state: str, message: str) -> None:
    """Close the site, except for administrators; open it."""
    if state == "on":
        maintenance.begin(message)
    else:
        maintenance.end()
    click.echo(f"Maintenance is {state}, on this machine.")


def _tell_errors(action: Callable[[], object]) -> None:
    """Call ``action``; end the command with one line if a file cannot be read or written."""
    try:
        action()
    except OSError as error:
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
