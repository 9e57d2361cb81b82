"""Parse the steps in a page such as docs/recipes.md, and carry them out on a copy of the project."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
MYPY_CACHE = ".mypy_cache"
LEFT_OUT = {".git", ".venv", "instance", "static", ".ruff_cache", MYPY_CACHE, ".env", "node_modules"}
STEP = re.compile(
    r"(?:Create|[Ii]n|[Aa]t the end of)\s`(?P<path>[^`]+)`"
    r"(?:,\s(?P<where>below|above|instead of)\s`(?P<line>[^`]+)`)?"
    r"(?:,\s(?:add|write|which)\b[^`]*)?:\n\n```\w*\n(?P<code>.*?)```"
    r"|In\s`(?P<shortened>[^`]+)`,\stake\sout\s(?P<gone>`[^`]+`(?:,\s`[^`]+`)*)"
    r"|Delete\s(?P<deleted>`[^`]+`(?:,\s`[^`]+`)*)"
    r"|^\|\s`(?P<cut>[^`|]+)`\s\|\s(?P<cuts>[^|\n]+)\s\|$"
    r"|^(?P<command>(?:python3 manage\.py (?:db|format)|\.venv/bin/ruff check)\b.*?)$",
    re.DOTALL | re.MULTILINE,
)
QUOTED = re.compile(r"`([^`]+)`")
# What a row of a table says to take out of a file, such as "lines with `a`, `b`; function `c`; `old` becomes `new`".
CUT = re.compile(
    r"(?P<kind>lines with|functions?|class(?:es)?|sections?|)\s?(?P<names>`[^`]+`(?:(?:,| becomes) `[^`]+`)*)"
)


@dataclass(frozen=True)
class Step:
    """A step: a file to write, to change or to delete, or a command to run."""

    path: str
    where: str | None
    line: str | None
    code: str
    shortened: str
    gone: str
    deleted: str
    cut: str
    cuts: str
    command: str | None

    def carry_out(self, project: Path) -> None:
        """Carry out the step in the folder ``project``."""
        if self.command:
            program, *arguments = words(self.command)
            run(project, *(["-m", "ruff"] if program.endswith("ruff") else []), *arguments)
        elif self.deleted:
            self._delete(project)
        elif self.shortened:
            self._shorten(project / self.shortened)
        elif self.cut:
            self._cut(project / self.cut)
        elif self.where:
            self._change(project / self.path)
        else:
            self._write(project / self.path)

    def _change(self, file: Path) -> None:
        lines = file.read_text().splitlines(keepends=True)
        start = place_of(self.line or "", lines, file) + (self.where == "below")
        lines[start : start + (self.where == "instead of")] = [self.code]
        file.write_text("".join(lines))

    def _shorten(self, file: Path) -> None:
        lines = file.read_text().splitlines(keepends=True)
        for line in QUOTED.findall(self.gone):
            del lines[place_of(line, lines, file)]
        file.write_text("".join(lines))

    def _cut(self, file: Path) -> None:
        # A file that another capability has taken along has nothing left to take out.
        for cut in CUT.finditer(self.cuts if file.exists() else ""):
            cut_out(file, cut["kind"], QUOTED.findall(cut["names"]))

    def _write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as opened:
            opened.write(self.code)

    def _delete(self, project: Path) -> None:
        for pattern in QUOTED.findall(self.deleted):
            paths = list(project.glob(pattern))
            assert paths, f"there is no {pattern}"
            for path in paths:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()


def place_of(line: str, lines: list[str], file: Path) -> int:
    """Return the index of ``line``, which has to occur exactly once."""
    places = [number for number, text in enumerate(lines) if text.strip() == line]
    assert len(places) == 1, f"{file.name} has {len(places)} lines {line!r}"
    return places[0]


def cut_out(file: Path, kind: str, names: list[str]) -> None:
    """Take lines with these texts, functions or classes, or sections of a page, out of ``file``, or replace a text."""
    text = file.read_text()
    if kind.startswith("line"):
        lines = text.splitlines(keepends=True)
        idle = [name for name in names if not any(name in line for line in lines)]
        assert not idle, f"{file.name} has no lines with {idle}"
        text = "".join(line for line in lines if not any(name in line for name in names))
    elif kind.startswith(("function", "class")):
        for name in names:
            text = without_function(text, name)
    elif kind.startswith("section"):
        for name in names:
            text = text.replace(section(text, name), "")
    else:
        old, new = names
        assert text.count(old) == 1, f"{file.name} has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    file.write_text(text)


def without_function(text: str, name: str) -> str:
    """Return the text of a module without the function, method or class ``name``, and without its decorators."""
    found = [node for node in ast.walk(ast.parse(text)) if getattr(node, "name", "") == name]
    assert len(found) == 1, f"there are {len(found)} functions {name!r}"
    node = found[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    start = min(part.lineno for part in [node, *node.decorator_list])
    lines = text.splitlines(keepends=True)
    return "".join(lines[: start - 1] + lines[node.end_lineno :])


def steps(text: str) -> Iterator[Step]:
    """Return the steps in a text, in order."""
    for found in STEP.finditer(text):
        yield Step(**found.groupdict())


def section(text: str, title: str) -> str:
    """Return the part of a page below the heading ``title``."""
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"there is no recipe {title!r}"
    return found.group()


def words(command: str) -> list[str]:
    """Return the words of a command; quotation marks group words."""
    return [quoted or word for quoted, word in re.findall(r'"([^"]*)"|(\S+)', command)]


def copy_project(folder: Path) -> Path:
    """Copy the project into ``folder``, and make its tables with the present migrations."""
    run(copy_files(folder), "manage.py", "db", "upgrade")
    # What mypy found in an earlier run, in which most modules were the same: with it a check takes 2 seconds, not 13.
    if (ROOT / MYPY_CACHE).is_dir():
        shutil.copytree(ROOT / MYPY_CACHE, folder / MYPY_CACHE)
    return folder


def copy_files(folder: Path) -> Path:
    """Copy the files of the project into ``folder``, and what Python has compiled of them."""
    return shutil.copytree(ROOT, folder, ignore=lambda _folder, names: LEFT_OUT & set(names))


def run(project: Path, *arguments: str) -> None:
    """Run Python in ``project``; raise an error with its output when it fails."""
    database = f"sqlite:///{project / 'instance' / 'recipes.sqlite'}"
    is_a_step = arguments[0] == "manage.py"
    extra = {"FLASK_CONFIG": "testing", "TEST_DATABASE_URL": database} if is_a_step else {}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, **extra},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
