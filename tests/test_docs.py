"""The documentation names everything that exists, and nothing that does not."""

import re
from pathlib import Path

import pytest
from click import Command, Group

from app.commands import SECTIONS
from app.jobs import schedule
from app.kit.jobs.queue import Job
from config import Config, config
from tests import areas

ROOT = Path(__file__).parent.parent
# Pages about a fork's areas, each named after its area. The first is an introduction.
AREA_PAGES = sorted((ROOT / "docs" / "areas").glob("*.md"))
# One for each target, which docs/deploy.md lists.
DEPLOY_PAGES = sorted((ROOT / "docs" / "deploy").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *AREA_PAGES, *DEPLOY_PAGES]
ALL_TEXT = "\n".join(page.read_text() for page in PAGES)
# Enough to build every environment; an error in one would hide the names that it reads.
ENOUGH = {
    "SECRET_KEY": "x" * 48,
    "DATA_KEYS": "y" * 48,
    "BASE_URL": "https://kit.example.org",
    "DATABASE_URL": "postgres://db.example.org/kit",
    "REDIS_URL": "redis://queue.example.org",
    "MAIL_SERVER": "mail.example.org",
}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def settings() -> list[str]:
    """Return every variable that the configuration reads, in any environment."""
    environments: list[Config] = [make(ENOUGH) for make in config.values()]
    return sorted({"FLASK_CONFIG"}.union(*(made.environment.names for made in environments)))


def commands() -> list[tuple[Command, str]]:
    """Return every command of ``manage.py``, each with the page that should explain it."""
    site = [(command, "docs/commands.md") for section in SECTIONS for command in section.commands]
    return site + [(command, page_of(name)) for name, area in areas.LOADED.items() for command in area.commands]


def page_of(area: str) -> str:
    """Return the page that documents what an area adds."""
    return f"docs/areas/{area}.md"


def text_of(page: str) -> str:
    """Return the text of a page, or an empty one if it does not exist yet."""
    return (ROOT / page).read_text() if (ROOT / page).exists() else ""


def is_named(name: str, text: str) -> bool:
    """Return whether ``text`` contains ``name`` as a whole word."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


@pytest.mark.parametrize("name", settings())
def test_setting_is_explained(name: str) -> None:
    assert is_named(name, text_of("docs/settings.md")), f"explain {name} in docs/settings.md"


def test_settings_of_areas_are_explained() -> None:
    missing = [f"{name} in {page_of(area)}" for name, area in areas.settings().items() if not explains(area, name)]
    assert not missing, f"explain {missing}"


def explains(area: str, name: str) -> bool:
    return is_named(name, text_of(page_of(area)) + text_of("docs/settings.md"))


# The older name of REDIS_URL, and one that is only read to report that it is not supported.
@pytest.mark.parametrize("name", sorted({*settings(), *areas.settings()} - {"REDISTOGO_URL", "RAYGUN_APIKEY"}))
def test_setting_can_be_filled_in(name: str) -> None:
    assert f"\n{name}=" in (ROOT / ".env.example").read_text(), f"give {name} a line in .env.example"


def test_no_setting_is_offered_that_nothing_reads() -> None:
    offered = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert set(offered) <= {*settings(), *areas.settings()}
    assert len(offered) == len(set(offered))


@pytest.mark.parametrize(("command", "page"), commands(), ids=lambda value: getattr(value, "name", ""))
def test_command_is_explained(command: Command, page: str) -> None:
    text = text_of(page)
    assert is_named(command.name or "", text), f"explain {command.name} in {page}"
    if isinstance(command, Group) and command.name == "db":
        return  # Flask-Migrate's own; its help texts document the rest
    options = [name for option in command.params for name in option.opts if name.startswith("--")]
    unexplained = [name for name in options if not is_named(name, text)]
    assert not unexplained, f"explain these options of {command.name} in {page}"


@pytest.mark.parametrize("name", areas.EMAILS)
def test_email_is_explained(name: str) -> None:
    assert is_named(name, ALL_TEXT), f"say when {name} is sent in docs/delivery.md, or in the page of its area"


@pytest.mark.parametrize("job", areas.JOBS, ids=lambda job: job.function.__name__)
def test_job_is_explained(job: Job) -> None:
    is_explained = job.name in ALL_TEXT or is_named(job.function.__name__, ALL_TEXT)
    assert is_explained, f"name {job.name!r} in docs/delivery.md, or in the page of its area"


def test_the_schedule_runs_what_is_explained() -> None:
    assert {entry.job.name for entry in schedule.entries} <= {job.name for job in areas.JOBS}


def test_each_area_brings_along_what_can_be_explained() -> None:
    """Without this, the tests above would pass with no area, email or job at all."""
    assert {"main", "account", "admin"} <= areas.LOADED.keys()
    assert {"confirm", "account_deleted"} <= set(areas.EMAILS)
    assert {"deliver_email", "purge_sessions"} <= {job.function.__name__ for job in areas.JOBS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name} leads to {target}, which does not exist"
        if anchor:
            assert anchor in anchors(file), f"{page.name} leads to {target}, but there is no such heading"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", DEPLOY_PAGES, ids=lambda page: page.name)
def test_a_target_says_what_it_needs_and_when_it_works(page: Path) -> None:
    text = page.read_text()
    assert text.splitlines()[2].startswith("You need: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[-1] == "It works when"


@pytest.mark.parametrize("page", [page for page in PAGES if page not in AREA_PAGES], ids=lambda page: page.name)
def test_every_page_can_be_found(page: Path) -> None:
    lists = ("docs/index.md", "docs/deploy.md")
    linked = {Path(target).name for listed in lists for target in LINK.findall(text_of(listed))}
    assert page.name in {*linked, "index.md", "README.md"}, f"list {page.name} in docs/index.md"


def test_every_page_of_an_area_is_named_after_it() -> None:
    """docs/index.md links to their folder, so that a fork need not edit it."""
    strange = sorted({page.stem for page in AREA_PAGES} - {"README", *areas.LOADED})
    assert not strange, f"no area of app/__init__.py is called like these pages of docs/areas: {strange}"


# These name files that the reader is to create or to delete, as tests/test_recipes.py and tests/test_removing.py do.
STEPS = {"recipes.md", "removing.md"}


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in STEPS], ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    prefixes = "app|tests|docs|migrations|requirements|benchmarks|development|bin|deploy"
    named = set(re.findall(rf"`((?:{prefixes})/[\w./-]*[\w/])`", page.read_text()))
    gone = sorted(name for name in named if not (ROOT / name).exists() and not name.startswith("app/static"))
    assert not gone, f"{page.name} names files that do not exist"


def test_the_map_of_the_tree_is_true() -> None:
    """The map is the README's block that starts with manage.py; an indented line belongs to the folder above it."""
    block = re.search(r"```\n(manage\.py.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    folder = ROOT
    for line in block.group(1).splitlines():
        names = re.split(r"\s{2,}", line.strip())[0].split()
        parent = folder if line.startswith(" ") else ROOT
        missing = [name for name in names if not (parent / name).exists()]
        assert not missing, f"the README's map names what is not there: {missing}"
        if not line.startswith(" ") and names[0].endswith("/"):
            folder = ROOT / names[0]
