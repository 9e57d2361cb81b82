"""Tests for areas: what they add, and which mistakes are refused."""

from collections.abc import Callable
from enum import IntFlag

import click
import pytest
from click.testing import CliRunner
from flask import Blueprint, Flask

from app import areas, commands, create_app
from app.areas import Area
from app.email import catalog
from app.jobs import purge_sessions, schedule
from app.kit.core.environment import ConfigError, Environment
from app.kit.jobs.queue import job, jobs
from app.kit.jobs.schedule import Entry as ScheduledEntry
from app.models import Role, User
from app.models.data_export import DataExport
from app.navigation import BAR, Entry
from tests.factories import make_user


class NotePermission(IntFlag):
    """The permissions of a sample area."""

    SHARE = 0x100


def registered(*sample_areas: Area, variables: dict[str, str] | None = None) -> Flask:
    """Return an application with only these areas."""
    app = Flask(__name__)
    app.extensions["environment"] = Environment(variables or {})
    app.extensions.update(menus={}, audit_sentences={})
    areas.init_app(app, sample_areas)
    return app


def test_an_area_brings_its_pages_and_its_rows() -> None:
    notes = Blueprint("notes", __name__)
    notes.add_url_rule("/", "index", lambda: "notes")
    entry = ScheduledEntry(purge_sessions, "1 1 * * *")
    area = Area(
        notes,
        url_prefix="/notes",
        menus={BAR: [Entry("notes.index", "Notes")]},
        permissions=NotePermission,
        schedule=[entry],
        settings=lambda environment: {"NOTES_LIMIT": environment.integer("NOTES_LIMIT", 10)},
        sitemap=["notes.index"],
        audit={"note.shared": "{actor} shared a note"},
    )
    app = registered(area, variables={"NOTES_LIMIT": "5"})
    assert app.test_client().get("/notes/").text == "notes"
    assert app.extensions["menus"][BAR] == [Entry("notes.index", "Notes")]
    assert app.extensions["sitemap"] == ["notes.index"]
    assert app.config["NOTES_LIMIT"] == 5
    assert app.extensions["audit_sentences"] == {"note.shared": "{actor} shared a note"}
    registered(area)
    assert schedule.entries.count(entry) == 1, "a second application lists no job twice"
    schedule.entries.remove(entry)


def test_a_wrong_setting_of_an_area_is_named_at_start() -> None:
    area = Area(Blueprint("notes", __name__), settings=lambda env: {"LIMIT": env.integer("NOTES_LIMIT", 10)})
    with pytest.raises(ConfigError, match="NOTES_LIMIT"):
        registered(area, variables={"NOTES_LIMIT": "many"})


def test_two_areas_cannot_share_a_permission_bit() -> None:
    class Clash(IntFlag):
        PUBLISH = 0x100

    class ClashWithSite(IntFlag):
        PUBLISH = 0x02

    first = Area(Blueprint("first", __name__), permissions=NotePermission)
    with pytest.raises(ConfigError, match=r"Clash.PUBLISH has the bit of NotePermission.SHARE.*0x200"):
        registered(first, Area(Blueprint("second", __name__), permissions=Clash))
    with pytest.raises(ConfigError, match=r"ClashWithSite.PUBLISH has the bit of Permission.MANAGE_EMAILS"):
        registered(Area(Blueprint("third", __name__), permissions=ClashWithSite))


def test_an_area_cannot_take_a_bit_of_the_kit() -> None:
    """A later release could give it to an action, and everybody with the area's permission would have that one."""

    class TooHigh(IntFlag):
        PUBLISH = 0x40000000

    with pytest.raises(ConfigError, match=r"TooHigh.PUBLISH has the bit of the kit. .* like 0x100"):
        registered(Area(Blueprint("high", __name__), permissions=TooHigh))


def test_commands_of_an_area_are_listed_and_run() -> None:
    @click.command("count_notes")
    def count_notes() -> None:
        """Count the notes."""
        click.echo("There are 3 notes.")

    area = Area(Blueprint("notes", __name__), commands=[count_notes])
    manage = commands.command_line(create_app, area.commands)
    assert "Areas:\n  count_notes  " in CliRunner().invoke(manage, []).output
    assert CliRunner().invoke(manage, ["count_notes"]).output == "There are 3 notes.\n"
    assert registered(area).cli.commands["count_notes"] is count_notes


def test_an_area_cannot_take_the_name_of_another_command(app: Flask) -> None:
    area = Area(Blueprint("notes", __name__), commands=[click.Command("release")])
    site = registered()
    site.cli.add_command(app.cli.commands["release"])
    with pytest.raises(ConfigError, match="notes: there is a command release already"):
        areas.init_app(site, [area])


def test_an_area_cannot_take_the_name_of_another_email_or_job() -> None:
    """Rows of the outbox and of the schedule refer to both by name alone."""
    with pytest.raises(ValueError, match="two emails called confirm"):

        @catalog.email("notes/email/confirm", subject="Notes", sample={})
        def confirm() -> None: ...

    with pytest.raises(ValueError, match="two jobs called 'Purge expired sessions'"):

        @job("Purge expired sessions")
        def purge_notes() -> None: ...

    assert purge_sessions in jobs


def test_roles_of_an_area_are_inserted(app: Flask, db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "roles_of_areas", [("Sharer", 0x101, "main")])
    Role.insert_roles()
    role = Role.with_name("Sharer")
    assert role is not None
    assert role.has(NotePermission.SHARE)
    app.extensions["sqlalchemy"].session.delete(role)
    app.extensions["sqlalchemy"].session.commit()


def test_an_export_holds_the_parts_of_the_areas(app: Flask, db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    export: Callable[[User], dict[str, object]] = lambda user: {"notes": [f"a note of {user.uid}"]}  # noqa: E731
    monkeypatch.setitem(app.extensions, "exports_of_areas", [export])
    user = make_user()
    copy = DataExport(user=user)
    copy.write()
    assert f"a note of {user.uid}" in (copy.content or "")


def test_every_site_has_its_own_areas(app: Flask) -> None:
    assert {"main", "account", "admin", "dev"} <= create_app("testing").blueprints.keys()
