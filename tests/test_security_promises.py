"""Each promise in docs/security.md names tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROMISES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "security.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]
ASVS_ID = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}")


@cache
def functions_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_each_promise_names_its_requirement_and_a_test_that_exists() -> None:
    wrong = []
    for promise, requirement, test in PROMISES:
        path, _, name = test.strip("`").partition("::")
        is_known = (ROOT / path).is_file() and name in functions_in(ROOT / path)
        is_numbered = requirement == "–" or all(ASVS_ID.fullmatch(part) for part in requirement.split(", "))
        if not (is_known and is_numbered):
            wrong.append(f"{promise}: {requirement}, {test}")
    assert wrong == [], "these name a test that does not exist, or no requirement of the ASVS"


def test_the_page_was_read() -> None:
    assert len(PROMISES) > 50
