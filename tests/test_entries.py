"""What every way in leads to, over HTTP, for whoever takes it, and whatever is demanded of them."""

import ast
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.models import Flow, UserSession
from tests.entries import ENTRIES, Person, by_passkey, by_sign_up
from tests.factories import make_user
from tests.servers.identity_provider import FaultyProvider, start_identity_provider

APP = Path(__file__).parent.parent / "app"
FACTORS = [(), ("app",), ("passkey",), ("app", "passkey")]
LOGGED_IN, ASKED, SET_UP, NOBODY = "logged in", "asked for a second factor", "led to the set-up", "nobody logged in"


@pytest.fixture(scope="module")
def running() -> Iterator[FaultyProvider]:
    """Yield a provider."""
    with start_identity_provider() as provider:
        yield provider


@pytest.fixture
def provider(app: Flask, db: SQLAlchemy, running: FaultyProvider, monkeypatch: pytest.MonkeyPatch) -> FaultyProvider:
    """Return a provider that the site offers; codes are mailed to everybody."""
    for name in ("MAGIC_LINK", "MAGIC_LINK_FOR_ADMINISTRATORS"):
        monkeypatch.setitem(app.config, name, True)
    monkeypatch.setitem(app.config, "PROVIDERS", {"example": running.settings()})
    return running


def outcome(db: SQLAlchemy, person: Person, response: TestResponse) -> str:
    """Return what an entry has led to, by the rows that it left and by where it led."""
    db.session.rollback()
    sessions = list(db.session.scalars(select(UserSession).where(UserSession.user_id == person.user.id)))
    is_asked = bool(Flow.living("second_step", person.user))
    assert is_asked == (response.location == "/account/second-factor")
    if not sessions:
        return ASKED if is_asked else NOBODY
    assert (len(sessions), is_asked) == (1, False)
    assert sessions[0].has_two_factors == (sessions[0].ways == "passkey")
    return SET_UP if response.location == "/account/manage/security" else LOGGED_IN


def expected(entry: Callable[[Person], TestResponse], role: str, factors: tuple[str, ...], required: str) -> str:
    if not ENTRIES[entry]:
        return NOBODY
    if entry is by_passkey:
        return LOGGED_IN if "passkey" in factors else NOBODY
    if factors:
        return ASKED
    return SET_UP if required == "all" or (required, role) == ("admin", "Administrator") else LOGGED_IN


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)
def test_what_every_entry_leads_to(
    app: Flask,
    db: SQLAlchemy,
    provider: FaultyProvider,
    monkeypatch: pytest.MonkeyPatch,
    entry: Callable[[Person], TestResponse],
) -> None:
    found, wanted = {}, {}
    # A new user has no factor and the role of newcomers.
    roles, factors = (["User"], [()]) if entry is by_sign_up else (["User", "Administrator"], FACTORS)
    for case in product(roles, factors, ["none", "admin", "all"]):
        role, own, required = case
        monkeypatch.setitem(app.config, "SECOND_FACTOR_REQUIRED", required)
        person = Person(make_user(role), app.test_client(), provider)
        person.add_factors(*own)
        found[case] = outcome(db, person, entry(person))
        wanted[case] = expected(entry, *case)
    assert found == wanted


def callers(name: str) -> set[str]:
    """Return the functions of the application, by file, that call what has this name."""
    found = set()
    for file, tree in trees_with(f"{name}("):
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and any(called(node) == name for node in ast.walk(function)):
                found.add(f"{file}: {function.name}")
    return found


def importers(module: str, name: str) -> set[str]:
    """Return the files of the application that import ``name`` from ``module``."""
    return {
        file
        for file, tree in trees_with(f"from {module} import")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module and name in {each.name for each in node.names}
    }


def trees_with(text: str) -> Iterator[tuple[str, ast.Module]]:
    for file in APP.rglob("*.py"):
        source = file.read_text()
        if text in source:
            yield str(file.relative_to(APP)), ast.parse(source)


def called(node: ast.AST) -> str:
    is_named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    return ast.unparse(node.func) if is_named else ""


def test_only_the_gate_starts_sessions_and_the_table_has_all_who_call_it() -> None:
    assert importers("flask_login", "login_user") == {"sessions.py"}
    assert importers("app.sessions", "log_in") == {"sign_in.py"}
    # Others import the function, which this test sees.
    assert importers("app", "sessions") | importers("app", "sign_in") == {"__init__.py"}
    assert callers("UserSession.start") == {"sessions.py: log_in", "models/user_session.py: impersonate"}
    assert callers("enter") == {caller for caller in ENTRIES.values() if caller}
    seconds = {"account/views/second_factors.py: second_factor", "account/views/passkeys.py: second_factor_passkey"}
    assert callers("finish") == seconds
