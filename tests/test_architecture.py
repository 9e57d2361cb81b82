"""The rules of the code, checked in the source: imports, lengths of files, content of templates.

A rule that fails here says what to do. docs/architecture.md gives the reasons.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.kit.mail.rows import EmailState

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"
AREAS = {path.parent.name for path in APP.glob("*/__init__.py")} - {"models", "kit"}
# From the top down: a module imports only from rows below its own.
LAYERS = [
    {"app"},
    {"commands"},
    {"operations"},
    {"doctor"},
    {"doctor_network"},
    {"errors", "templating"},
    AREAS,
    {"areas"},
    {"health", "monitoring", "outside_view"},
    {"jobs"},
    {"backups"},
    {
        "assets",
        "audit",
        "decorators",
        "encrypted_data",
        "factor_removals",
        "fake_data",
        "figures",
        "mailed_codes",
        "maintenance",
        "navigation",
        "next_steps",
        "passkeys",
        "pictures",
        "setup",
        "sign_in",
    },
    {"second_factors"},
    {"sessions"},
    {"email"},
    {"access"},
    {"consent", "impersonation", "name_prompt", "newcomer", "proof_of_work"},
    {"models"},
    {"extensions"},
    {"kit"},
]
# The modules with a usual name in an area, from the top down.
PARTS_OF_AN_AREA = ["views", "commands", "fake_data", "jobs", "email", "forms", "models", "permissions", "settings"]
# The packages of the kit, and what each may import besides itself.
KIT_ROOMS = {
    "core": set(),
    "db": {"core"},
    "http": {"core"},
    "auth": {"core", "db", "http"},
    "forms": {"core", "db", "http", "auth", "pages"},
    "mail": {"core", "db"},
    "jobs": {"core", "db", "mail"},
    "pages": {"core", "db", "http"},
    "assets": {"core"},
    "storage": {"core"},
}
MAX_LINES = 250
MAX_FUNCTION_LINES = 50
HIDDEN_FROM_MYPY = re.compile(r"type: ignore|: Any\b")
MAX_HIDDEN_FROM_MYPY = 41
FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "misc", "base", "common", "manager", "managers"}
# XML namespaces look like URLs, and are never requested.
NAMESPACES = {"www.w3.org", "www.sitemaps.org"}
# Other hosts that pages may load from; see "Analytics" in docs/recipes.md.
OTHER_HOSTS: set[str] = set()

MODULES = sorted(APP.rglob("*.py"))
PROJECT_MODULES = [*MODULES, *sorted((ROOT / "development").rglob("*.py")), ROOT / "manage.py", ROOT / "bootstrap.py"]
TEST_MODULES = sorted((ROOT / "tests").rglob("*.py"))
TEMPLATES = sorted(path for path in (APP / "templates").rglob("*") if path.is_file())
# Mail programs drop style sheets, so emails have inline styles; they are never shown as a page.
PAGE_TEMPLATES = [path for path in TEMPLATES if "email" not in path.parent.name and "email" not in path.stem]
SOURCES = [*TEMPLATES, *sorted(path for path in (APP / "assets").rglob("*") if path.suffix in {".scss", ".js", ".svg"})]


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text())


def name_of(path: Path) -> str:
    """Return a file's path for messages of failing tests."""
    return path.relative_to(ROOT).as_posix()


def unit_of(path: Path) -> str:
    """Return the unit that a module belongs to: its area, "models", "kit", or itself."""
    first = path.relative_to(APP).parts[0]
    return "app" if first == "__init__.py" else first.removesuffix(".py")


def imported_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Return each imported dotted name with its line: ``from app import email`` gives ``app.email``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write the import out, starting with app"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def imported_units(path: Path) -> Iterator[tuple[str, int]]:
    """Return each unit of the application that a module imports, with the line."""
    for name, line in imported_names(tree_of(path)):
        if name.split(".")[0] == "app":
            unit = name.split(".")[1] if "." in name else "app"
            yield (unit if any(unit in layer for layer in LAYERS) else "app"), line


def layer_of(unit: str) -> int:
    """Return a unit's layer, 0 being the top."""
    for number, layer in enumerate(LAYERS):
        if unit in layer:
            return number
    raise AssertionError(f"app/{unit} has no place yet: give it one in LAYERS in {name_of(Path(__file__))}")


def test_imports_point_down() -> None:
    upward = [
        f"{name_of(path)}:{line} imports {other}"
        for path in MODULES
        for other, line in imported_units(path)
        if other != unit_of(path) and layer_of(other) <= layer_of(unit_of(path))
    ]
    assert not upward, "this imports upwards or sideways; move what it needs further down"


def test_the_rule_about_imports_sees_an_upward_one(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("from app import email\nfrom app.admin.forms import InviteUserForm\nimport app.kit.pages.table\n")
    assert [unit for unit, _ in imported_units(module)] == ["email", "admin", "kit"]
    assert layer_of("admin") < layer_of("email") < layer_of("kit")


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports for type checkers only, and those inside a function, count: they only hide the circle."""
    imports = {module_name(path): imported_modules(path) for path in MODULES}
    assert imports["app.models.user"] > {"app.models.role", "app.extensions"}
    circles = [circle for name in imports if (circle := way_back(name, imports))]
    assert not circles, "move what both need to a third module, below the two"


def test_the_rule_about_circles_sees_one_that_is_there_for_type_checkers(tmp_path: Path) -> None:
    module = tmp_path / "role.py"
    module.write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app.models.user import User\n")
    imports = {"app.models.user": {"app.models.role"}, "app.models.role": imported_modules(module)}
    assert way_back("app.models.role", imports) == ["app.models.role", "app.models.user", "app.models.role"]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(path: Path) -> set[str]:
    names = [name for name, _ in imported_names(tree_of(path))]
    return {name if name in MODULE_NAMES else name.rpartition(".")[0] for name in names} & MODULE_NAMES


MODULE_NAMES = {module_name(module) for module in MODULES}


def way_back(start: str, imports: dict[str, set[str]]) -> list[str]:
    """Return the shortest circle of imports from ``start``; empty if there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for name in sorted(imports.get(way[-1], set())):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def test_areas_never_import_one_another() -> None:
    assert {"main", "account", "admin", "dev"} <= AREAS
    for path in MODULES:
        if unit_of(path) in AREAS:
            others = {unit for unit, _ in imported_units(path)} & AREAS - {unit_of(path)}
            assert not others, f"{name_of(path)} imports the area {others}; what both need belongs below them"


def test_the_parts_of_an_area_point_down() -> None:
    """An area's tables do not import its forms and pages, and its emails and jobs do not import its views."""
    for path in MODULES:
        own = f"app.{unit_of(path)}."
        above = PARTS_OF_AN_AREA[: PARTS_OF_AN_AREA.index(path.stem) + 1] if path.stem in PARTS_OF_AN_AREA else []
        if unit_of(path) in AREAS and path.parent.parent == APP:
            imported = {name.removeprefix(own).split(".")[0] for name, _ in imported_names(tree_of(path))}
            assert not imported & set(above), f"{name_of(path)} imports {imported & set(above)}, which stands above it"


def test_kit_knows_nothing_of_this_application() -> None:
    for path in (APP / "kit").rglob("*.py"):
        text = path.read_text()
        foreign = [name for name, _ in imported_names(ast.parse(text)) if name.split(".")[0] in {"app", "config"}]
        assert all(name.startswith("app.kit") for name in foreign), f"{name_of(path)} imports {foreign}"


@pytest.mark.parametrize("room", KIT_ROOMS)
def test_rooms_of_the_kit_import_only_what_they_may(room: str) -> None:
    for path in (APP / "kit" / room).glob("*.py"):
        imported = {name.split(".")[2] for name, _ in imported_names(tree_of(path)) if in_a_room(name)}
        foreign = imported - KIT_ROOMS[room] - {room}
        assert not foreign, f"{name_of(path)} imports the rooms {foreign}"


def in_a_room(name: str) -> bool:
    return name.startswith("app.kit.")


def test_every_module_of_the_kit_stands_in_a_room_that_says_what_it_may_import() -> None:
    assert {path.name for path in (APP / "kit").glob("*.py")} == {"__init__.py"}
    assert {path.parent.name for path in (APP / "kit").glob("*/__init__.py")} == set(KIT_ROOMS)
    for room, allowed in KIT_ROOMS.items():
        docstring = ast.get_docstring(ast.parse((APP / "kit" / room / "__init__.py").read_text())) or ""
        assert all(re.search(rf"\b{name}\b", docstring.rpartition("ay import")[2]) for name in allowed)


def test_only_the_factory_imports_config() -> None:
    importers = {
        name_of(path) for path in MODULES for name, _ in imported_names(tree_of(path)) if name.split(".")[0] == "config"
    }
    assert importers == {"app/__init__.py"}, "everyone else reads current_app.config"


def test_an_import_inside_a_function_gives_its_reason() -> None:
    unexplained = [
        f"{name_of(path)}:{line}"
        for path in PROJECT_MODULES
        for line in late_imports(tree_of(path))
        if not explained(path.read_text(), line)
    ]
    assert not unexplained, "say in a comment above why this import is not at the top of the file"


def late_imports(tree: ast.AST) -> Iterator[int]:
    """Return the line of each import inside a function, of adjacent ones only the first."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                yield from first_imports(getattr(inner, "body", None))


def first_imports(statements: object) -> Iterator[int]:
    previous: ast.stmt | None = None
    for statement in statements if isinstance(statements, list) else []:
        is_import = isinstance(statement, ast.Import | ast.ImportFrom)
        if is_import and not isinstance(previous, ast.Import | ast.ImportFrom):
            yield statement.lineno
        previous = statement


def explained(text: str, line: int) -> bool:
    """Return whether a comment is above ``line``; a ``try:`` between the two does not count."""
    lines = text.splitlines()[: line - 1]
    while lines and lines[-1].strip() in {"try:", ""}:
        lines.pop()
    return bool(lines) and lines[-1].strip().startswith("#")


def test_the_rule_about_late_imports_sees_an_unexplained_one() -> None:
    text = "def f():\n    import rq\n    import redis\n\ndef g():\n    # It takes 0.1 s.\n    import rq\n"
    lines = sorted(set(late_imports(ast.parse(text))))
    assert [(line, explained(text, line)) for line in lines] == [(2, False), (7, True)]


def test_the_states_of_an_email_are_spelled_once() -> None:
    of_other_things = {EmailState.SENT, EmailState.CANCELED}  # A change of many users is canceled, too.
    literal = re.compile("|".join(f"[\"']{state}[\"']" for state in EmailState if state not in of_other_things))
    spelling = {name_of(path) for path in [*MODULES, *TEMPLATES] if literal.search(path.read_text())}
    assert spelling == {"app/kit/mail/rows.py"}, "use EmailState"


def test_little_is_hidden_from_mypy() -> None:
    hidden = [line for path in MODULES for line in path.read_text().splitlines() if HIDDEN_FROM_MYPY.search(line)]
    assert len(hidden) <= MAX_HIDDEN_FROM_MYPY, "say what it is: a Protocol, a TypedDict, the library's own type"


def test_files_are_short() -> None:
    sources = [*MODULES, *SOURCES]
    too_long = {name_of(path): count for path in sources if (count := len(path.read_text().splitlines())) > MAX_LINES}
    assert not too_long, f"split what has more than {MAX_LINES} lines"


def test_functions_are_short() -> None:
    too_long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert not too_long, f"split functions of {MAX_FUNCTION_LINES} lines"


def test_modules_are_named_after_what_they_do() -> None:
    vague = [name_of(path) for path in [*PROJECT_MODULES, *TEST_MODULES] if FORBIDDEN_NAMES & set(path.stem.split("_"))]
    assert not vague, "anything could be in a module of this name; name it after what is"


def test_what_others_call_has_a_docstring() -> None:
    """Forms, models and public functions have a docstring; one line is enough."""
    silent = [name_of(path) for path in MODULES if not ast.get_docstring(tree_of(path))]
    assert not silent, "say what this module is for"
    missing = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in tree_of(path).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        if not node.name.startswith("_") and not says_what_it_is(node)
    ]
    assert not missing, "describe what goes in and comes out"


def says_what_it_is(node: ast.ClassDef | ast.FunctionDef) -> bool:
    """Return whether it has a docstring; the subject of an email counts as one."""
    is_email = any(isinstance(decorator, ast.Call) and has_subject(decorator) for decorator in node.decorator_list)
    return is_email or ast.get_docstring(node) is not None


def has_subject(decorator: ast.Call) -> bool:
    return any(keyword.arg == "subject" for keyword in decorator.keywords)


def test_docstrings_say_return() -> None:
    modules = [
        path for folder in ("app", "development", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    found = [
        f"{name_of(path)}:{line}"
        for path in [*modules, *ROOT.glob("*.py")]
        if "Answer" in (source := path.read_text())
        for line in answering(source)
    ]
    assert not found, "PEP 257: a function returns, it does not answer"


def answering(source: str) -> Iterator[int]:
    """Return the line of each definition whose docstring begins with "Answer" or contains "Answer" and "the"."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node) or ""
            if docstring.startswith("Answer") or "Answer the" in docstring:
                yield getattr(node, "lineno", 1)


def test_the_rule_about_docstrings_sees_an_answer() -> None:
    source = (
        '''"""Answers."""\ndef f():\n    """Answer a row."""\nclass C:\n    """First.\n\n    Answer the row."""\n'''
    )
    assert list(answering(source)) == [1, 2, 4]
    assert list(answering('def f():\n    """Return the answer."""\n')) == []


def test_pages_load_nothing_from_another_host() -> None:
    found = [
        f"{name_of(path)}: {host}"
        for path in SOURCES
        for host in re.findall(r"(?:https?:)?//([a-z0-9-]+(?:\.[a-z0-9-]+)+)", path.read_text())
        if host not in NAMESPACES | OTHER_HOSTS
    ]
    assert not found, "a visitor's browser should only know our host"


def test_pages_hold_no_inline_style_or_script() -> None:
    found = {name_of(path): code for path in PAGE_TEMPLATES if (code := inline_code(path.read_text()))}
    assert not found, "the content security policy blocks this; move it to app/assets"


def inline_code(html: str) -> list[str]:
    """Return the inline code that a strict content security policy would block."""
    html = re.sub(r"\{[%#].*?[%#]\}", "", html, flags=re.DOTALL)
    return re.findall(r"<style\b|\sstyle=[\"'{]|<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+=[\"'{]|javascript:", html)


def test_the_rule_about_inline_code_sees_all_kinds() -> None:
    page = """<style>p{}</style><p style="color:red" onclick="go()"><script>go()</script><a href="javascript:go()">"""
    assert len(inline_code(page)) == 5
    assert inline_code('<script type="module" src="/static/app.js"></script><p class="style">') == []


def test_templates_trust_no_text() -> None:
    trusting = [name_of(path) for path in TEMPLATES if re.search(r"\|\s*safe\b|autoescape false", path.read_text())]
    assert not trusting, "`|safe` shows what somebody typed as code; the filters of templating.py answer safe HTML"


def test_templates_keep_nothing_without_a_key() -> None:
    """Jinja caches includes without context once per process, whoever requested them first."""
    keeping = [name_of(path) for path in TEMPLATES if re.search(r"include\b[^%]*without context", path.read_text())]
    assert not keeping, "use fragment(…), which has a key: docs/architecture.md, Caching"


def test_every_view_shows_the_template_of_its_own_name() -> None:
    """With the endpoint, one knows the template."""
    shown = {
        (unit_of(path), call.args[0].value)
        for path in MODULES
        if unit_of(path) in AREAS
        for call in ast.walk(tree_of(path))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "render_template" and call.args
        if isinstance(call.args[0], ast.Constant)
    }
    elsewhere = [template for area, template in shown if not template.startswith((f"{area}/", "errors/"))]
    missing = [template for _, template in shown if not (APP / "templates" / template).exists()]
    assert shown
    assert not elsewhere, "an area's templates stand in a folder of its name"
    assert not missing, "this template does not exist"
