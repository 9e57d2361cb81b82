"""The rules of the style sheets: layers, one sheet for each component, and lengths only in the tokens."""

import re
from pathlib import Path

import pytest
from flask import Flask

from app.assets import SOURCES
from app.kit.assets.manifest import AssetManifest

STYLES = SOURCES / "styles"
SHEETS = sorted(STYLES.rglob("*.scss"))
COMPONENTS = sorted((STYLES / "components").glob("_*.scss"))
BASE = sorted((STYLES / "base").glob("_*.scss"))
# The sheets that define lengths: the brand's, which a fork changes, and the scales.
TOKENS = {"_brand.scss", "_tokens.scss"}
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")
# Selecting a class by a part of its attribute would evade the rule.
CLASS_ATTRIBUTE = re.compile(r"\[class[~|^$*]?=")
# Borders, outlines and offsets off the screen may use px up to 3; all other lengths follow the font size.
LENGTH = re.compile(r"[\d.]+rem\b|(?<![\d.])(?:[4-9]|\d{2,})(?:\.\d+)?px\b")
FONT_SIZE = re.compile(r"font-size:(?!\s*(?:var\(|inherit|[\d.]+em\b))[^;]+")


def source_of(path: Path) -> str:
    """Return a sheet without its comments."""
    return COMMENT.sub("", path.read_text())


def component_of(path: Path) -> str:
    """Return the component that a sheet is named after."""
    return path.stem.removeprefix("_")


def owner_of(name: str) -> str:
    """Return the component of a class: the longest name that the class begins with, or its plural."""
    owners = [own for own in map(component_of, COMPONENTS) if re.match(rf"{own}(?:e?s)?(?:$|-|__)", name)]
    return max(owners, key=len, default="")


def foreign_classes(path: Path) -> list[str]:
    """Return the classes in a component's sheet that belong to other components."""
    source = source_of(path)
    foreign = [name for name in CLASS.findall(source) if owner_of(name) != component_of(path)]
    return foreign + CLASS_ATTRIBUTE.findall(source)


@pytest.mark.parametrize("path", COMPONENTS, ids=component_of)
def test_a_component_names_only_its_own_classes(path: Path) -> None:
    assert not foreign_classes(path), "let the other component read a custom property, or give the element a class"


@pytest.mark.parametrize(
    "rule",
    [
        ".site-header .button { color: red; }",
        ".site-header { .button & { color: red; } }",
        ".site-header:has(.card) { color: red; }",
        ".site-header [class~=button] { color: red; }",
        ".site-menu { color: red; }",
        ".unheard-of { color: red; }",
    ],
)
def test_the_rule_sees_a_selector_that_reaches_across(tmp_path: Path, rule: str) -> None:
    sheet = tmp_path / "_site-header.scss"
    sheet.write_text(f"// .button may be named here.\n.site-header__inner {{ gap: 0.5em; }}\n{rule}\n")
    assert foreign_classes(sheet)


@pytest.mark.parametrize("path", BASE, ids=component_of)
def test_base_styles_know_elements_and_no_classes(path: Path) -> None:
    assert CLASS.findall(source_of(path)) == []


@pytest.mark.parametrize("path", SHEETS, ids=component_of)
def test_lengths_are_written_among_the_tokens(path: Path) -> None:
    if path.name not in TOKENS:
        found = LENGTH.findall(source_of(path)) + FONT_SIZE.findall(source_of(path))
        assert not found, "take a --space-*, --text-* or --width-* of _tokens.scss, or add one there"


@pytest.mark.parametrize("value", ["padding: 0.5rem", "padding: 2.25rem 1px", "top: 12px", "font-size: 13px"])
def test_the_rule_sees_a_new_length(value: str) -> None:
    assert LENGTH.findall(value) or FONT_SIZE.findall(value)


@pytest.mark.parametrize("value", ["border: 1px solid", "margin: -1px", "padding: 0.1em", "gap: var(--space-2)"])
def test_the_rule_lets_edges_and_tokens_pass(value: str) -> None:
    assert not LENGTH.findall(value)
    assert not FONT_SIZE.findall(value)


@pytest.mark.parametrize("path", SHEETS, ids=component_of)
def test_every_sheet_says_what_it_is_and_is_used(path: Path) -> None:
    assert path.read_text().startswith("// ")
    name = path.relative_to(STYLES).with_name(component_of(path)).as_posix()
    assert path.stem == "app" or f'@import "{name}";' in (STYLES / "app.scss").read_text()


def test_every_class_is_used(app: Flask) -> None:
    root = Path(app.root_path)
    files = [*(root / "templates").rglob("*.html"), *(SOURCES / "scripts").glob("*.js"), root / "templating.py"]
    files += [*(root / "kit" / "forms").glob("*.py"), *(root / "kit" / "pages").glob("*.py")]
    used = set(re.findall(r"[\w-]+", " ".join(path.read_text() for path in files)))
    named = {name for path in SHEETS for name in CLASS.findall(source_of(path))}
    assert not named - used, "no template and no script uses these"


def test_every_rule_is_in_a_layer(app: Flask) -> None:
    manifest: AssetManifest = app.extensions["assets"]
    css = (Path(app.root_path) / "static" / Path(manifest.url("app_css")).name).read_text()
    first, *blocks = top_level(css)
    assert first == "@layer tokens, base, components, overrides"
    assert {block.split("{")[0] for block in blocks} == {
        "@layer tokens",
        "@layer base",
        "@layer components",
        "@layer overrides",
    }


def top_level(css: str) -> list[str]:
    """Return the top-level statements and blocks."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(css):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if not depth and character in ";}":
            found.append(css[start:at].strip())
            start = at + 1
    return found
