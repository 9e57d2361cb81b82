"""The steps of docs/recipes.md, carried out from top to bottom on a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parent.parent
LEFT_OUT = {".git", ".venv", "instance", "static", "__pycache__", ".ruff_cache", ".mypy_cache", ".env"}
CHANGED = ["app", "config.py", "migrations", "tests"]
# What says whether the copy is a sound project: its own tests, the rules of the house, the routes, the emails.
CHECKS = [
    ["ruff", "check", *CHANGED],
    ["ruff", "format", "--check", *CHANGED],
    [
        *("pytest", "-q", "--tb=short", "--show-capture=no", "tests/notes", "tests/test_architecture.py"),
        *("tests/test_docs.py", "tests/test_routes.py::test_every_route_is_classified"),
        *("tests/models/test_role.py", "tests/test_email.py::test_every_email_can_be_sent"),
    ],
]
INSTRUCTION = re.compile(
    r"(?:Create|[Ii]n|[Aa]t the end of) `(?P<path>[^`]+)`"
    r"(?:, (?P<where>below|above|instead of) `(?P<line>[^`]+)`)?"
    r"[^`]*?:\n\n```\w*\n(?P<code>.*?)```"
    r"|^(?P<command>python3 manage\.py (?:db|format)\b.*?)$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Step:
    """One thing to do: a file to write or to change, or a command to run."""

    path: str
    where: str | None
    line: str | None
    code: str
    command: str | None

    def carry_out(self, project: Path) -> None:
        """Do it in the folder ``project``."""
        if self.command:
            run(project, *words(self.command)[1:])
        elif self.where:
            self._change(project / self.path)
        else:
            self._write(project / self.path)

    def _change(self, file: Path) -> None:
        lines = file.read_text().splitlines(keepends=True)
        places = [number for number, text in enumerate(lines) if text.strip() == self.line]
        assert len(places) == 1, f"{self.path} has {len(places)} lines {self.line!r}"
        start = places[0] + (self.where == "below")
        lines[start : start + (self.where == "instead of")] = [self.code]
        file.write_text("".join(lines))

    def _write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as opened:
            opened.write(self.code)


def steps() -> Iterator[Step]:
    """Answer what the page says to do, in its order."""
    for found in INSTRUCTION.finditer((ROOT / "docs" / "recipes.md").read_text()):
        yield Step(**found.groupdict())


def words(command: str) -> list[str]:
    """Answer the words of a command; quotation marks hold some together."""
    return [quoted or word for quoted, word in re.findall(r'"([^"]*)"|(\S+)', command)]


def run(project: Path, *arguments: str) -> None:
    """Run Python in ``project``; a failure shows what it printed."""
    environment = {
        **os.environ,
        "FLASK_CONFIG": "testing",
        "TEST_DATABASE_URL": f"sqlite:///{project / 'recipes.sqlite'}",
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


def test_every_step_is_understood() -> None:
    """A step that the pattern misses would never be carried out."""
    page = (ROOT / "docs" / "recipes.md").read_text()
    blocks = len(re.findall(r"^```\w*\n.+?^```", page, re.DOTALL | re.MULTILINE))
    carried_out = [step for step in steps() if not step.command]
    shown_only = 3  # the commands of a migration, which are run one by one, and two ways to newer packages
    assert len(carried_out) == blocks - shown_only
    assert [step.command for step in steps() if step.command]


def test_a_project_that_follows_the_recipes_is_sound(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=lambda _folder, names: LEFT_OUT & set(names))
    run(project, "manage.py", "db", "upgrade")
    for step in steps():
        step.carry_out(project)
    for check in CHECKS:
        run(project, "-m", *check)
