"""A command line with sections in its help, which reports a wrong configuration without a traceback."""

import errno
from collections.abc import Callable, Sequence
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo, with_appcontext
from sqlalchemy.exc import DatabaseError, OperationalError

from app.kit.core.environment import ConfigError

UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ENOTDIR}
# Its other subclasses are mistakes in the code. SQLite raises the class itself for a file that is no database.
UNUSABLE_DATABASE = {OperationalError, DatabaseError}
DATABASE_CURE = "Check its address: DATABASE_URL, in development DEV_DATABASE_URL."


class Section:
    """A group of commands, in the order in which they are listed."""

    def __init__(self, title: str, commands: Sequence[click.Command] = ()) -> None:
        self.title = title
        self.commands = list(commands)

    def command(
        self, name: str, *, needs_app: bool = True, **settings: Any
    ) -> Callable[[Callable[..., Any]], click.Command]:
        """Return a decorator that makes a function the command ``name``; its docstring is the help text.

        With ``needs_app`` the command runs in an application context; ``settings`` go to ``click.command``.
        """

        def decorate(function: Callable[..., Any]) -> click.Command:
            # The name is always given: Click would turn the underscores of a function's name into dashes.
            body = with_appcontext(function) if needs_app else function
            return self.add(click.command(name, **settings)(body))

        return decorate

    def add(self, command: click.Command) -> click.Command:
        """Add an existing command to the section, and return it."""
        self.commands.append(command)
        return command


class CommandLine(click.Group):
    """The commands of ``sections``; those that need the application create it with ``create_app``."""

    def __init__(self, create_app: Callable[[], Flask], sections: list[Section], **settings: Any) -> None:
        super().__init__(**settings)
        self._create_app = create_app
        self._sections = sections
        for section in sections:
            for command in section.commands:
                self.add_command(command)

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Return Click's context, with the app factory in it."""
        # Otherwise FLASK_DEBUG would override the configuration.
        extra["obj"] = ScriptInfo(create_app=self._create_app, set_debug_flag=False)
        return super().make_context(*arguments, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; show what the setup of the machine is to blame for as a message, without a traceback."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise click.ClickException(str(error)) from error
        except DatabaseError as error:
            if type(error) not in UNUSABLE_DATABASE:
                raise
            # Most often there is no server at the address, or a file cannot be opened.
            what = " ".join(str(error.orig).split()).rstrip(".")
            cure = " ".join(getattr(error, "__notes__", [DATABASE_CURE]))
            raise click.ClickException(f"The database cannot be used: {what}. {cure}") from error
        except OSError as error:
            if error.errno not in UNWRITABLE or not error.filename:
                raise
            cure = "Free the disk, or work in a folder that is yours."
            raise click.ClickException(f"Cannot use {error.filename} ({error.strerror}). {cure}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, section by section."""
        width = max(len(command.name or "") for section in self._sections for command in section.commands)
        for section in self._sections:
            with formatter.section(section.title):
                room = formatter.width - width - 8
                rows = [((c.name or "").ljust(width), c.get_short_help_str(room)) for c in section.commands]
                formatter.write_dl(rows)
