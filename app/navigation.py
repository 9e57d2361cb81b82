"""The menus of the site, one row per entry.

The access rule of a page (access.py) decides who sees its entry, and the current page decides which entry is
highlighted. Areas add rows of their own (areas.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from app.access import may_see_link

# The menus by name, as templates and areas call them.
BAR, ACCOUNT, ADMINISTRATION, DEVELOPMENT = "bar", "account", "administration", "development"


@dataclass(frozen=True)
class Entry:
    """A link to a page. It is also highlighted on ``pages``, the endpoints that belong to it."""

    endpoint: str
    label: str
    icon: str = ""
    pages: tuple[str, ...] = ()
    style: str = ""


@dataclass(frozen=True)
class Section:
    """A link to the first accessible entry of another menu, highlighted on all pages of ``area``."""

    menu: str
    label: str
    area: str


Row = Entry | Section

MENUS: dict[str, list[Row]] = {
    BAR: [
        Entry("main.about", "About"),
        Section(ADMINISTRATION, "Administration", area="admin"),
        Section(ACCOUNT, "Your account", area="account"),
        Entry("account.login", "Log in"),
        Entry("account.register", "Register", style="button button--primary"),
    ],
    ACCOUNT: [
        Entry("account.manage", "Account information", "user"),
        Entry("account.picture", "Picture", "image"),
        Entry("account.change_email_request", "Email address", "mail", pages=("account.change_email",)),
        Entry("account.change_password", "Password", "key"),
        Entry("account.sessions", "Sessions", "devices"),
        Entry("account.exports", "Your data", "download"),
        Entry("account.delete_account", "Delete account", "trash"),
    ],
    ADMINISTRATION: [
        Entry("admin.index", "Dashboard", "home"),
        Entry(
            "admin.registered_users",
            "Users",
            "users",
            pages=(
                "admin.user_info",
                "admin.change_user_email",
                "admin.change_account_type",
                "admin.disable_user",
                "admin.delete_user_request",
            ),
        ),
        Entry("admin.invite_user", "Invite a user", "mail"),
        Entry("admin.new_user", "Add a user", "plus"),
        Entry("admin.emails", "Emails", "send"),
        Entry("admin.jobs", "Jobs", "clock"),
        Entry("admin.audit", "Audit log", "list"),
    ],
    DEVELOPMENT: [
        Entry("dev.mailbox", "Mailbox", "mail", pages=("dev.message",)),
        Entry("dev.emails", "Email previews", "send", pages=("dev.preview",)),
        Entry("dev.components", "Components", "list"),
    ],
}


@dataclass(frozen=True)
class Link:
    """A link for a template; ``current`` is "page" on its own page, "true" on one that belongs to it, else ""."""

    url: str
    label: str
    icon: str
    style: str
    current: str


def init_app(app: Flask) -> None:
    """Copy the menus into the application, so that areas can add rows, and register ``menu(name)`` for templates."""
    app.extensions["menus"] = {name: list(rows) for name, rows in MENUS.items()}
    app.jinja_env.globals["menu"] = menu


def add_rows(app: Flask, name: str, rows: Sequence[Row]) -> None:
    """Add an area's rows to a menu, before its first :class:`Section` if it has one."""
    known: list[Row] = app.extensions["menus"].setdefault(name, [])
    place = next((number for number, row in enumerate(known) if isinstance(row, Section)), len(known))
    known[place:place] = rows


def menu(name: str) -> list[Link]:
    """Return the links of a menu that the current user may open."""
    rows: list[Row] = current_app.extensions["menus"][name]
    return [link for row in rows if (link := _link(row))]


def _link(row: Row) -> Link | None:
    if isinstance(row, Section):
        return _link_to_section(row)
    return _link_to_page(row) if may_see_link(row.endpoint) else None


def _link_to_page(entry: Entry) -> Link:
    shown = request.endpoint or ""
    current = "page" if shown == entry.endpoint else "true" if shown in entry.pages else ""
    return Link(url_for(entry.endpoint), entry.label, entry.icon, entry.style, current)


def _link_to_section(section: Section) -> Link | None:
    entries = (row for row in current_app.extensions["menus"][section.menu] if isinstance(row, Entry))
    first = next((entry for entry in entries if may_see_link(entry.endpoint)), None)
    if first is None:
        return None
    shown = request.endpoint or ""
    current = "page" if shown == first.endpoint else "true" if shown.startswith(f"{section.area}.") else ""
    return Link(url_for(first.endpoint), section.label, "", "", current)
