"""What the machine is to blame for is told in one line, and a mistake in the code with its traceback."""

import errno
import os

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from psycopg.errors import ConnectionFailure
from sqlalchemy.exc import IntegrityError, OperationalError

from app.kit.core.command_line import DATABASE_CURE, CommandLine, Section
from app.kit.core.environment import ConfigError


def outcome(error: Exception) -> Result:
    """Return the result of a command that raises ``error``."""
    section = Section("One")

    @section.command("fail", needs_app=False)
    def fail() -> None:
        raise error

    return CliRunner().invoke(CommandLine(lambda: Flask("site"), [section]), ["fail"])


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_to_is_one_line(number: int) -> None:
    result = outcome(OSError(number, os.strerror(number), "/project/instance"))
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: Cannot use /project/instance ({os.strerror(number)}). ")
    assert len(result.output.splitlines()) == 1


def test_a_database_that_is_away_is_one_line() -> None:
    reason = ConnectionFailure("connection refused\n\tIs the server running?")
    result = outcome(OperationalError("SELECT 1", {}, reason))
    assert result.output.startswith("Error: The database cannot be used: connection refused Is the server running")
    assert DATABASE_CURE in result.output
    assert len(result.output.splitlines()) == 1


def test_a_wrong_setting_is_told_without_a_traceback() -> None:
    assert outcome(ConfigError(["PORT: wrong."])).output == "Error: The configuration is not usable:\n  PORT: wrong.\n"


@pytest.mark.parametrize(
    "error", [OSError(errno.ECONNRESET, "Reset"), ZeroDivisionError(), IntegrityError("", {}, Exception())]
)
def test_any_other_error_stays_what_it_is(error: Exception) -> None:
    assert outcome(error).exception is error
