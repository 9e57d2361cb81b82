"""Requests run the same code in each environment, except for the table in docs/architecture.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import config

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "app"
QUESTIONS = {"debug", "testing"}
SETTINGS = {"DEBUG", "TESTING"}
HEADING = "## What differs between production, development and the tests"
# Everything that can be the same in each environment.
VARIABLES = {
    "SECRET_KEY": "k" * 40,
    "DATA_KEYS": "d" * 40,
    "ADMIN_EMAIL": "admin@example.org",
    "BASE_URL": "https://example.org",
    "MAIL_SERVER": "mail.example.org",
    "REDIS_URL": "redis://redis.example.org/0",
    "SENTRY_DSN": "https://key@errors.example.org/1",
    "PASSWORD_BREACH_CHECK": "true",
    "DATABASE_URL": "postgresql://db.example.org/site",
    "DEV_DATABASE_URL": "postgresql://db.example.org/site",
    "TEST_DATABASE_URL": "postgresql://db.example.org/site",
}


def rows() -> str:
    """Return the table."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    return text.partition(HEADING)[2].partition("\n## ")[0]


def questions(source: str) -> Iterator[str]:
    """Yield each expression that asks for the environment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in QUESTIONS and isinstance(node.ctx, ast.Load):
            yield ast.unparse(node)
        if isinstance(node, ast.Constant) and node.value in SETTINGS:
            yield str(node.value)


def asking_files() -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in APP.rglob("*.py") if any(questions(path.read_text()))}


def different_settings() -> set[str]:
    found = [vars_of(config[name](VARIABLES)) for name in ("production", "development", "testing")]
    names = set().union(*found)
    return {name for name in names if len({repr(values.get(name, "missing")) for values in found}) > 1}


def vars_of(settings: object) -> dict[str, object]:
    return {name: getattr(settings, name) for name in dir(settings) if name.isupper()}


def test_code_that_asks_for_the_environment_stands_in_the_table() -> None:
    assert asking_files() == set(re.findall(r"`(app/[\w/]+\.py)`", rows())), f"docs/architecture.md, {HEADING}"


def test_settings_that_differ_stand_in_the_table() -> None:
    assert different_settings() == set(re.findall(r"`([A-Z][A-Z0-9_]+)`", rows())), f"docs/architecture.md, {HEADING}"


@pytest.mark.parametrize(
    "source", ["if app.debug: pass", "current_app.testing or x", "app.config['DEBUG']", "app.config.get('TESTING')"]
)
def test_the_rule_sees_every_way_to_ask(source: str) -> None:
    assert list(questions(source))
