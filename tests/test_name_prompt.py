"""The name of an administrator who is created on the command line."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.name_prompt import AskName, with_name

ROOT = Path(__file__).parent.parent
PROGRAM = """
import click
from app.name_prompt import with_name
click.command(with_name(lambda ask_name: click.echo("Name: " + "|".join(ask_name()))))()
"""


@pytest.fixture
def run() -> Callable[..., tuple[int, str]]:
    """Return a function that runs a command which needs a name, without a terminal."""

    @click.command
    @with_name
    def command(ask_name: AskName) -> None:
        click.echo("|".join(ask_name()))

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, arguments)
        return result.exit_code, result.output.strip()

    return run


def test_without_a_terminal_nothing_is_asked(run: Callable[..., tuple[int, str]]) -> None:
    assert run() == (0, "Site|Administrator")
    assert run("--last-name", "Keeper") == (0, "Site|Keeper")
    assert run("--first-name", " Grace ", "--last-name", "Keeper") == (0, "Grace|Keeper")


@pytest.mark.parametrize("name", ["G" * 65, "Gr\nace", "evil.example.org"])
def test_a_name_follows_the_rules_of_the_site(run: Callable[..., tuple[int, str]], name: str) -> None:
    code, output = run("--first-name", name)
    assert code == 1
    assert output.startswith("Error: The name ")


def test_on_a_terminal_what_is_missing_is_asked_for() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, "--first-name", "Grace"]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        os.write(ours, b"Keeper\n")
        output, _ = process.communicate(timeout=30)
    os.close(ours)
    assert "First name" not in output
    assert output.endswith("Last name [Administrator]: Name: Grace|Keeper\n")
