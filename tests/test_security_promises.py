"""Each promise in docs/security.md names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROMISES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "security.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]
ASVS_ID = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}")


def functions_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[0][:40])
def test_each_promise_names_its_requirement_and_a_test_that_exists(promise: list[str]) -> None:
    _, requirement, test = promise
    path, _, name = test.strip("`").partition("::")
    assert name in functions_in(ROOT / path), f"{test} does not exist"
    assert requirement == "–" or all(ASVS_ID.fullmatch(part) for part in requirement.split(", "))


def test_the_page_was_read() -> None:
    assert len(PROMISES) > 50
