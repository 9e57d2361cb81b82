"""What the documentation names: everything there is, and nothing that is not there."""

import re
from pathlib import Path

import pytest
from click import Command, Group

from app import jobs
from app.commands import SECTIONS
from app.email import catalog
from app.jobs import schedule
from app.kit.jobs.queue import Job
from config import Config, config

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL_TEXT = "\n".join(page.read_text() for page in PAGES)
# Enough for every environment to be made; a mistake in one would hide the names that it reads.
ENOUGH = {
    "SECRET_KEY": "x" * 48,
    "BASE_URL": "https://kit.example.org",
    "DATABASE_URL": "postgres://db.example.org/kit",
    "REDIS_URL": "redis://queue.example.org",
    "MAIL_SERVER": "mail.example.org",
}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def settings() -> list[str]:
    """Answer every variable that the configuration reads, in whichever environment."""
    environments: list[Config] = [make(ENOUGH) for make in config.values()]
    return sorted({"FLASK_CONFIG"}.union(*(made.environment.names for made in environments)))


def commands() -> list[Command]:
    """Answer every command of ``manage.py``."""
    return [command for section in SECTIONS for command in section.commands]


def all_jobs() -> list[Job]:
    """Answer every job of ``app/jobs.py``."""
    return [value for value in vars(jobs).values() if isinstance(value, Job)]


def is_named(name: str, text: str) -> bool:
    """Tell whether ``text`` holds ``name`` as a whole word."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


@pytest.mark.parametrize("name", settings())
def test_setting_is_explained(name: str) -> None:
    assert is_named(name, (ROOT / "docs" / "settings.md").read_text()), f"explain {name} in docs/settings.md"


# The older name of REDIS_URL, and one that is only read to say that it is not supported.
@pytest.mark.parametrize("name", sorted(set(settings()) - {"REDISTOGO_URL", "RAYGUN_APIKEY"}))
def test_setting_can_be_filled_in(name: str) -> None:
    assert f"\n{name}=" in (ROOT / ".env.example").read_text(), f"give {name} a line in .env.example"


def test_no_setting_is_offered_that_nothing_reads() -> None:
    offered = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert set(offered) <= set(settings())
    assert len(offered) == len(set(offered))


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_command_is_explained(command: Command) -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    assert is_named(command.name or "", page), f"explain {command.name} in docs/commands.md"
    if isinstance(command, Group) and command.name == "db":
        return  # Flask-Migrate's own; its help texts say the rest
    options = [name for option in command.params for name in option.opts if name.startswith("--")]
    unexplained = [name for name in options if not is_named(name, page)]
    assert not unexplained, f"explain these options of {command.name} in docs/commands.md"


@pytest.mark.parametrize("name", sorted(catalog.emails))
def test_email_is_explained(name: str) -> None:
    assert is_named(name, ALL_TEXT), f"say in docs/delivery.md when {name} is sent"


@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.function.__name__)
def test_job_is_explained(job: Job) -> None:
    assert job.name in ALL_TEXT or is_named(job.function.__name__, ALL_TEXT), f"name {job.name!r} in docs/delivery.md"


def test_the_schedule_runs_what_is_explained() -> None:
    assert {entry.job.name for entry in schedule.entries} <= {job.name for job in all_jobs()}


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
    """Answer the anchors of a page's headings, made the way GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_can_be_found(page: Path) -> None:
    linked = LINK.findall((ROOT / "docs" / "index.md").read_text())
    assert page.name in {*linked, "index.md", "README.md"}, f"list {page.name} in docs/index.md"


# The recipes name files that the reader is to create; tests/test_recipes.py creates them.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "recipes.md"], ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    prefixes = "app|tests|docs|migrations|requirements|benchmarks|development|bin"
    named = set(re.findall(rf"`((?:{prefixes})/[\w./-]*[\w/])`", page.read_text()))
    gone = sorted(name for name in named if not (ROOT / name).exists() and not name.startswith("app/static"))
    assert not gone, f"{page.name} names files that do not exist"


def test_the_map_of_the_tree_is_true() -> None:
    """The first block of the README whose lines begin with manage.py; a deeper line belongs to the folder above."""
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
