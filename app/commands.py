"""The commands of `manage.py`, in the order of its help."""

import logging
import subprocess  # nosec B404 # runs pytest and ruff
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, routes_command, shell_command

from app import assets, fake_data, figures, jobs, setup
from app.extensions import db
from app.kit.core.command_line import CommandLine, Section
from app.kit.core.counting import how_many
from app.kit.core.environment import ConfigError
from app.kit.db.migrations import MigrateCommands
from app.kit.http import caching
from app.kit.jobs import worker
from app.models import Role, User
from app.name_prompt import AskName, with_name
from app.operations import operating

PORT = click.IntRange(1, 65535)
FAKE_PASSWORD = "only-for-development"  # noqa: S105 # nosec B105 # shown by the command that sets it

everyday = Section("Every day")
people = Section("Database and people")
serving = Section("Single processes")
checking = Section("Building and checking")
SECTIONS = [everyday, people, operating, serving, checking]


def init_app(app: Flask) -> None:
    """Register the commands with `flask` too, and set the names of the shell."""
    for section in SECTIONS:
        for command in section.commands:
            app.cli.add_command(command)
    app.shell_context_processor(lambda: {"app": app, "db": db, "User": User, "Role": Role})


def command_line(create_app: Callable[[], Flask], of_areas: Sequence[click.Command] = ()) -> CommandLine:
    """Return the command line of `manage.py`. Commands of areas are in a section of their own."""
    sections = [*SECTIONS, Section("Areas", of_areas)] if of_areas else SECTIONS
    return CommandLine(create_app, sections, name="manage.py", help="Runs, fills, checks and serves the site.")


@everyday.command("dev", needs_app=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=PORT, envvar="PORT", show_envvar=True, help="The port to listen on.  [default: a free one from 5000]"
)
@click.option("--reset", is_flag=True, help="Start from an empty database, queue and mailbox.")
@click.option("--fake", type=click.IntRange(min=1), metavar="N", help="Add N fake users.")
@click.option("--new-password", is_flag=True, help="Give the administrator ADMIN_PASSWORD, or a random one.")
@click.pass_obj
def dev(info: ScriptInfo, host: str, port: int | None, reset: bool, fake: int | None, new_password: bool) -> None:
    """Run the whole site.

    Starts a queue, the web server and a worker; Ctrl-C stops all of them.
    """
    # A production server has none of what development needs.
    from development.site import DevelopmentSite

    site = DevelopmentSite.open(host, port)
    # Which migrations ran is for deployments to log.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with info.load_app().app_context():
        if reset:
            site.erase_data()
            setup.empty_database()
        else:
            setup.prepare_database()
        administrator = setup.ensure_development_administrator(new_password=new_password)
        if fake:
            _add_fake_users(fake)
        assets.build_stale_assets(current_app.extensions["assets"])
        db.engine.dispose()
    sys.exit(site.run(administrator.email, administrator.password or setup.UNKNOWN_PASSWORD))


@everyday.command("test", needs_app=False, context_settings={"ignore_unknown_options": True})
@click.option(
    "--postgres", is_flag=True, help="On a PostgreSQL server of its own; by itself all tests that use the database."
)
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test(postgres: bool, pytest_arguments: tuple[str, ...]) -> None:
    """Run the tests.

    All other arguments go to pytest, and its exit code is kept.
    """
    # A production server has none of what development needs.
    from development.testing import run_tests

    sys.exit(run_tests(list(pytest_arguments), on_postgres=postgres))


@everyday.command("shell", needs_app=False)
@click.pass_context
def shell(context: click.Context) -> None:
    """Open Python with app, db, User and Role."""
    context.invoke(shell_command)


@people.command("setup_dev")
@with_name
def setup_dev(ask_name: AskName) -> None:
    """Migrate; make a developer's administrator."""
    setup.prepare_database()
    login = setup.ensure_development_administrator(ask_name)
    click.echo(f"Administrator: {login.email}, password: {login.password or setup.UNKNOWN_PASSWORD}")


@people.command("create_admin")
@click.option("--email", prompt="Email address", help="Whose account it is.")
@with_name
def create_admin(email: str, ask_name: AskName) -> None:
    """Make an administrator, or make a user one."""
    email = setup.usable_address(email)
    user = setup.known_user(email)
    if user is None:
        name = ask_name()
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        setup.refuse_weak_password(password, email)
        setup.make_administrator(email, password, *name)
    elif user.is_disabled:
        raise click.ClickException(f"{user.email} is disabled. Another administrator has to enable the user first.")
    elif not user.is_admin():
        click.confirm(f"{user.email} has an account. Make {user.display_name} an administrator?", abort=True)
        setup.promote_to_administrator(user)
    else:
        click.echo(f"{user.email} is an administrator already.")
        return
    click.echo(f"{email} is an administrator now.")


@people.command("add_fake_data")
@click.option("-n", "--number-users", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
def add_fake_data(number_users: int) -> None:
    """Add fake users, no administrators."""
    _add_fake_users(number_users)


def _add_fake_users(count: int) -> None:
    # The password is public in this file, so it must not open accounts on a site that is online.
    password = FAKE_PASSWORD if current_app.debug else None
    with click.progressbar(length=count, label=f"Adding {how_many(count, 'fake user')}") as bar:
        fake_data.add_fake_users(count, password, bar.update)
    # Fake users have signed up on days that are over.
    figures.store(anew=True)
    db.session.commit()
    if password:
        click.echo(f"Each fake user's password is: {password}")


@people.command("recreate_db")
@click.option("--yes", is_flag=True, help="Do not ask.")
def recreate_db(yes: bool) -> None:
    """Empty the database.

    Drops and creates every table. Asks first, and refuses in production.
    """
    if not (current_app.debug or current_app.testing):
        raise click.ClickException("This is production: recreate_db would delete its data, and refuses.")
    where = db.engine.url.render_as_string(hide_password=True)
    if not yes:
        click.confirm(f"Delete everything in {where}?", abort=True)
    setup.empty_database()
    click.echo("The database is empty. Next: manage.py setup_dev")


people.add(MigrateCommands("db", help="Perform database migrations."))
people.add(caching.clear_cache)


@serving.command("runserver", needs_app=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=PORT, envvar="PORT", show_envvar=True, default=5000, show_default=True, help="The port to listen on."
)
@click.option("--reload/--no-reload", default=True, help="Start again when a source file is saved.")
@click.pass_obj
def runserver(info: ScriptInfo, host: str, port: int, reload: bool) -> None:
    """Serve the site for development. `manage.py dev` also starts the queue and the worker."""
    # A production server has none of what development needs.
    from development.web_server import serve, serve_with_restarts, show_until_saved

    if reload:
        sys.exit(serve_with_restarts(host, port))
    try:
        serve(info.load_app, host, port)
    except ConfigError as error:
        show_until_saved(error, in_one_message=True)
    except Exception as error:
        show_until_saved(error)


@serving.command("run_worker")
@click.option("--queue", default="default", show_default=True, help="The queue to take jobs from.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="How many jobs at once.")
@click.option("--burst", is_flag=True, help="End when nothing is left to do.")
def run_worker(queue: str, workers: int, burst: bool) -> None:
    """Deliver emails, run jobs, keep the schedule."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    sys.exit(worker.run(app, jobs.outbox, jobs.schedule, queue=queue, workers=workers, burst=burst))


@checking.command("build_assets", needs_app=False)
def build_assets_command() -> None:
    """Build styles and scripts for production. Needs no database, no queue and no secret."""
    for file in assets.build_assets():
        click.echo(file.relative_to(Path.cwd()))


@checking.command("format", needs_app=False)
def format_code() -> None:
    """Sort the imports and format the code."""
    fixed = _run_tool("ruff", "check", "--select", "I,F401", "--fix", "--quiet", ".")
    sys.exit(_run_tool("ruff", "format", ".") or fixed)


@checking.command("ci", needs_app=False)
def ci() -> None:
    """Run every check that a change has to pass. Takes half an hour, and installs the programs that are missing."""
    sys.exit(subprocess.call(["bash", ".ci/run"]))  # noqa: S607 # nosec B603 B607


checking.add(routes_command)


def _run_tool(module: str, *arguments: str) -> int:
    return subprocess.call([sys.executable, "-m", module, *arguments])  # nosec B603 # noqa: S603
