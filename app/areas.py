"""What an area consists of: its pages, and what it adds to menus, roles, the schedule and other lists.

Emails and jobs are not listed here: their decorators register them when the area is imported.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from importlib import import_module
from typing import Any

import click
from flask import Blueprint, Flask

from app import jobs, navigation
from app.kit.core.environment import ConfigError, Environment
from app.kit.jobs.schedule import Entry as ScheduledEntry
from app.models import Permission, User
from app.models.role import KIT_BITS, RoleRow
from app.next_steps import NextStep


@dataclass(frozen=True)
class Area:
    """One area: the blueprint with its pages, and what it adds to the site."""

    blueprint: Blueprint
    url_prefix: str | None = None
    # Rows to add, by the name of the menu (navigation.py).
    menus: Mapping[str, Sequence[navigation.Row]] = field(default_factory=dict)
    # The area's own permission bits, and roles that have them (models/role.py). A PermissionFlag has words for people.
    permissions: type[IntFlag] | None = None
    roles: Sequence[RoleRow] = ()
    # Scheduled jobs (jobs.py).
    schedule: Sequence[ScheduledEntry] = ()
    # A sentence for each of the area's own events in the audit log (audit.py).
    audit: Mapping[str, str] = field(default_factory=dict)
    # Settings read from the environment, as config.py does.
    settings: Callable[[Environment], Mapping[str, object]] | None = None
    # Adds that many rows of fake data, and commits.
    fake_data: Callable[[int], None] | None = None
    # Returns the area's data about a user, as JSON values by name.
    export: Callable[[User], Mapping[str, Any]] | None = None
    # What the home of a user asks for (next_steps.py).
    next_steps: Sequence[NextStep] = ()
    # Endpoints without parameters, for the sitemap.
    sitemap: Sequence[str] = ()
    # Commands of manage.py. One that needs the database also needs Flask's ``@with_appcontext``.
    commands: Sequence[click.Command] = ()


def load(names: Sequence[str]) -> list[Area]:
    """Import the packages ``app.<name>`` and return the ``area`` of each."""
    return [import_module(f"app.{name}").area for name in names]


def commands(names: Sequence[str]) -> list[click.Command]:
    """Return the commands of these areas, so that `manage.py` can list them without creating the application."""
    return [command for area in load(names) for command in area.commands]


def init_app(app: Flask, areas: Sequence[Area]) -> None:
    """Register everything that the areas consist of.

    Raises :class:`ConfigError` if a setting of an area is wrong, or if two permissions have the same bit or
    two commands the same name.
    """
    _refuse_shared_bits(areas)
    _read_settings(app, areas)
    for area in areas:
        app.register_blueprint(area.blueprint, url_prefix=area.url_prefix)
        jobs.schedule.add(area.schedule)
        _add_commands(app, area)
        for name, rows in area.menus.items():
            navigation.add_rows(app, name, rows)
        app.extensions["audit_sentences"].update(area.audit)
    app.extensions["roles_of_areas"] = [row for area in areas for row in area.roles]
    app.extensions["permissions_of_areas"] = [bit for area in areas if area.permissions for bit in area.permissions]
    app.extensions["exports_of_areas"] = [area.export for area in areas if area.export]
    app.extensions["fake_data_of_areas"] = [area.fake_data for area in areas if area.fake_data]
    app.extensions["next_steps_of_areas"] = [step for area in areas for step in area.next_steps]
    app.extensions["sitemap"] = [endpoint for area in areas for endpoint in area.sitemap]


def _refuse_shared_bits(areas: Sequence[Area]) -> None:
    """Raise :class:`ConfigError` if two permissions have the same bit: a role with one would have the other.

    So would those who have a permission that a later release gives this bit (``KIT_BITS``).
    """
    owners = {bit.value: f"Permission.{bit.name}" for bit in Permission}
    for kind in [area.permissions for area in areas if area.permissions]:
        for bit in kind:
            name = f"{kind.__name__}.{bit.name}"
            owner = owners.get(bit.value, "the kit" if bit.value >= KIT_BITS else None)
            if owner:
                free = next(1 << place for place in range(8, 31) if 1 << place not in owners)
                raise ConfigError([f"{name} has the bit of {owner}. Give it one of its own, like {free:#x}."])
            owners[bit.value] = name


def _read_settings(app: Flask, areas: Sequence[Area]) -> None:
    environment: Environment = app.extensions["environment"]
    for area in areas:
        if area.settings:
            app.config.update(area.settings(environment))
    environment.raise_problems()


def _add_commands(app: Flask, area: Area) -> None:
    for command in area.commands:
        if app.cli.commands.get(command.name or "", command) is not command:
            raise ConfigError([f"{area.blueprint.name}: there is a command {command.name} already. Rename this one."])
        app.cli.add_command(command)
