"""The steps of docs/recipes.md, carried out on copies of the project."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.recipe_steps import ROOT, copy_project, run, section, steps
from tests.test_own_settings import change_every_setting

PAGE = (ROOT / "docs" / "recipes.md").read_text()
RELEASE = (ROOT / "tests" / "next_release.md").read_text()
RESOURCE = section(PAGE, "A resource in an area of its own")
CHANGED = ["app", "config.py", "migrations", "tests"]
# The tests of these folders run where every setting is another one, those of the recipes included. Some of the others
# start the site as in production, which has to find its own.
WITH_OTHER_SETTINGS = [f"tests/{area}" for area in ("account", "admin", "dev", "main", "models", "notes")]
# The kit knows nothing of the rest, as test_architecture.py shows in the copy, too, and no recipe changes a line of it.
THE_SAME = ["tests/kit", "tests/browser"]
# In one process: other tests run beside it, and more of them would each import and collect the same again.
PYTEST = ["pytest", "-q", "--tb=short", "--show-capture=no"]
# The checks that the copy has to pass: those that its owner would run.
CHECKS = [
    ["ruff", "check", *CHANGED],
    ["ruff", "format", "--check", *CHANGED],
    ["mypy"],
    [*PYTEST, *(f"--ignore={folder}" for folder in [*THE_SAME, *WITH_OTHER_SETTINGS])],
]
MOST_EXISTING_FILES = 3
IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_NAME": who.lower() for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": f"{who.lower()}@example.org" for who in ("AUTHOR", "COMMITTER")},
}


def git(project: Path, *arguments: str) -> str:
    """Run git in ``project``, without this machine's settings; return its output."""
    done = subprocess.run(
        ["git", *arguments], cwd=project, env={**os.environ, **IDENTITY}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def commit(project: Path, message: str) -> None:
    """Commit everything in ``project`` that .gitignore does not exclude."""
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", message)


def begin(project: Path, branch: str, at: str) -> None:
    """Discard what an earlier test left behind, and create ``branch`` from another one."""
    git(project, "reset", "--quiet", "--hard")
    git(project, "clean", "--quiet", "-d", "--force")
    git(project, "switch", "--quiet", "--create", branch, at)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of each file below ``folder``, without what was compiled."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def carry_out(text: str, project: Path) -> None:
    """Carry out the steps of ``text`` in ``project``."""
    for step in steps(text):
        step.carry_out(project)


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose branch "kit" is the project; its branch "fork" adds the recipe's resource."""
    project = copy_project(tmp_path_factory.mktemp("recipes") / "project")
    git(project, "init", "--quiet", "--initial-branch=kit")
    commit(project, "The kit")
    begin(project, "fork", at="kit")
    carry_out(RESOURCE, project)
    commit(project, "Notes")
    return project


def test_every_step_is_understood() -> None:
    """A step that the pattern does not match would never be tested."""
    blocks = len(re.findall(r"^```\w*\n.+?^```", PAGE, re.DOTALL | re.MULTILINE))
    with_code = [step for step in steps(PAGE) if step.code]
    shown_only = 4  # the commands of migrations, which are run one by one (twice), and two ways to upgrade packages
    assert len(with_code) == blocks - shown_only
    assert [step.command for step in steps(PAGE) if step.command]


@pytest.mark.long(150)
@pytest.mark.thorough
def test_a_project_that_follows_the_recipes_is_sound(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    carry_out(PAGE.replace(section(PAGE, "Remove an area"), ""), project)
    assert files_of(project / "app/kit") == files_of(ROOT / "app/kit")
    for check in CHECKS:
        run(project, "-m", *check)
    change_every_setting(project)
    run(project, "-m", *PYTEST, *WITH_OTHER_SETTINGS)


@pytest.mark.thorough
def test_a_resource_edits_three_existing_files_at_most_a_line_each(fork: Path) -> None:
    rows = git(fork, "diff", "--numstat", "--diff-filter=a", "kit", "fork").splitlines()
    edited = {path: (int(added), int(gone)) for added, gone, path in (row.split("\t") for row in rows)}
    assert edited == {"app/__init__.py": (1, 0)}
    assert len(edited) <= MOST_EXISTING_FILES


@pytest.mark.thorough
def test_a_release_that_changes_every_catalog_meets_nothing_of_a_resource(fork: Path) -> None:
    begin(fork, "release", at="kit")
    carry_out(RELEASE, fork)
    commit(fork, "The next release")
    begin(fork, "merged", at="fork")
    git(fork, "merge", "--quiet", "--no-edit", "release")
    assert {"notes", "help"} <= {path.name for path in (fork / "app").iterdir()}
    tables = ["tests/test_docs.py", "tests/test_navigation.py", "tests/test_routes.py", "tests/models/test_role.py"]
    # Of the routes only whether both tables agree with the application: requesting each one takes a minute.
    quick = ["-k", "not who_may_open and not without_the_token and not looking"]
    run(fork, "-m", "pytest", "-q", "--tb=short", "--show-capture=no", "tests/notes", *tables, *quick)


@pytest.mark.thorough
def test_an_area_that_is_removed_leaves_nothing_but_its_migrations(fork: Path) -> None:
    begin(fork, "removed", at="fork")
    carry_out(section(PAGE, "Remove an area"), fork)
    git(fork, "add", "--all")
    left = git(fork, "diff", "--cached", "--name-only", "kit").split()
    assert left
    assert [path for path in left if not path.startswith("migrations/versions/")] == []
