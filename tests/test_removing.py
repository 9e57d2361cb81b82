"""The steps of docs/removing.md, carried out on a copy of the project, which is then checked."""

import re
from pathlib import Path

import pytest

from tests.recipe_steps import ROOT, copy_files, copy_project, run, steps
from tests.test_recipes import PYTEST

PAGE = (ROOT / "docs" / "removing.md").read_text()
# Those that a removal could break: of what the whole site has, and of logging in.
TESTS = """
    architecture assets audit config docs doctor email encrypted_data hostile maintenance migrations navigation
    own_settings recipes removing routes second_factor_required security_logs security_promises sign_in styles
"""
ACCOUNT = [f"tests/account/test_{name}.py" for name in ("enumeration", "registration", "second_factors", "sign_in")]
# Who may open what: comparing the tables with the site is enough, requesting each page takes a minute.
QUICK = ["-k", "not who_may_open and not without_the_token and not looking"]
CHECKS = [
    ["ruff", "check"],
    ["ruff", "format", "--check"],
    ["mypy"],
    [*PYTEST, *ACCOUNT, *(f"tests/test_{name}.py" for name in TESTS.split()), *QUICK],
]


def test_every_step_is_understood() -> None:
    """A row or block that the pattern does not match would never be carried out."""
    found = list(steps(PAGE))
    rows = re.findall(r"^\| `.+ \|$", PAGE, re.MULTILINE)
    assert len([step for step in found if step.cut]) == len(rows)
    assert len([step for step in found if step.code]) == PAGE.count("\n```python\n")
    assert len([step for step in found if step.deleted]) == PAGE.count("\nDelete ")
    assert len([step for step in found if step.command]) == 4


def test_every_step_finds_what_it_takes_out(tmp_path: Path) -> None:
    project = copy_files(tmp_path / "project")
    for step in steps(PAGE):
        if not step.command:
            step.carry_out(project)


@pytest.mark.long(35)
@pytest.mark.thorough
def test_the_site_is_sound_without_all_that_can_be_taken_out(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    for step in steps(PAGE):
        step.carry_out(project)
    for check in CHECKS:
        run(project, "-m", *check)
