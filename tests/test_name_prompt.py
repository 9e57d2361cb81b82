"""The name of an administrator who is created on the command line."""

import os
import pty
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner

from app.name_prompt import AskName, with_name


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


def test_on_a_terminal_what_is_missing_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names: list[tuple[str, str]] = []
    command = click.command(with_name(lambda ask_name: names.append(ask_name())))
    keyboard, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin, os.fdopen(keyboard, "wb", buffering=0) as typed:
        monkeypatch.setattr("sys.stdin", stdin)
        typed.write(b"Keeper\n")
        command.main(["--first-name", "Grace"], standalone_mode=False)
    assert names == [("Grace", "Keeper")]
    assert "First name" not in capsys.readouterr().out
