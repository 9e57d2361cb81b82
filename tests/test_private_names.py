"""Only public API of the libraries is used: any release may remove a private name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The allowed private names, with the reason.
KEPT = {
    # Werkzeug documents it as the way to get the object behind a proxy.
    ("app/access.py", "current_user._get_current_object"),
    ("app/account/views/data.py", "current_user._get_current_object"),
    ("app/account/views/picture.py", "current_user._get_current_object"),
    ("app/admin/role_actions.py", "current_user._get_current_object"),
    ("app/sessions.py", "current_user._get_current_object"),
    ("app/commands.py", "current_app._get_current_object"),
    ("app/kit/db/migrations.py", "current_app._get_current_object"),
    ("app/models/audit_event.py", "current_user._get_current_object"),
    # Flask-WTF has no other way to change how a request's token is read; the mask against BREACH is removed there.
    ("app/kit/auth/csrf.py", "super()._get_csrf_token"),
    # The documented way to give a member of an Enum more than its value.
    ("app/models/role.py", "bit._value_"),
    # A documented function of the standard library.
    ("app/kit/jobs/worker.py", "os._exit"),
    # Methods of our own model.
    ("app/models/user_links.py", "user._state"),
    ("app/models/user_recovery.py", "user._address_of"),
}
OURS = {"self", "cls"}


def private_names(source: str) -> Iterator[str]:
    """Yield each name with a leading underscore that a module takes from another object or module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and ast.unparse(node.value) not in OURS:
            yield ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            yield from (f"{node.module}.{alias.name}" for alias in node.names if is_private(alias.name))
            # Types that exist only for type checkers.
            if any(map(is_private, (node.module or "").split("."))) and not (node.module or "").startswith("_typeshed"):
                yield str(node.module)
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if isinstance(node, ast.Call) and called in {"getattr", "setattr", "hasattr"}:
            names = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            yield from (str(name) for name in names if isinstance(name, str) and is_private(name))
        if called == "vars" and "self" not in ast.unparse(node):
            yield ast.unparse(node)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_no_private_name_of_a_library_is_used() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in (ROOT / "app").rglob("*.py")
        for name in private_names(path.read_text())
    }
    assert found == KEPT, "find the public way, or add a line with a reason that the library's maintainer would accept"


@pytest.mark.parametrize(
    "source",
    [
        "g._login_user = None",
        "logging._srcfile = None",
        "from flask_wtf.csrf import _FlaskFormCSRF",
        "from flask_limiter._manager import LimitManager",
        "vars(g)",
        "getattr(g, '_login_user', None)",
        "super()._load_user()",
    ],
)
def test_the_rule_sees_each_kind(source: str) -> None:
    assert list(private_names(source))


def test_ones_own_are_nobodys_business() -> None:
    assert not list(private_names("self._count = cls._made\nfrom __future__ import annotations\nx.__name__"))
