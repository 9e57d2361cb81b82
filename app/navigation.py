"""The menus of the site, one row per entry.

The access rule of a page (access.py) decides who sees its entry, and the current page decides which entry is
highlighted. Areas add rows of their own (areas.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from app.access import link_filter, may_open, must_set_up

# The menus by name, as templates and areas call them.
BAR, USER, ACCOUNT, ADMINISTRATION, DEVELOPMENT = "bar", "user", "account", "administration", "development"


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

SECURITY_PAGES = (
    "account.authenticator_app",
    "account.change_password",
    "account.new_passkey",
    "account.recovery_codes",
    "account.rename_passkey",
    "account.sessions",
)

MENUS: dict[str, list[Row]] = {
    BAR: [
        Entry("main.about", "About"),
        Section(ADMINISTRATION, "Administration", area="admin"),
        Entry("account.login", "Log in"),
        Entry("account.register", "Register", style="button button--primary"),
    ],
    # Behind the name and picture of whoever is logged in.
    USER: [
        Entry("main.index", "Home"),
        Entry("account.profile", "Profile"),
        Entry("account.security", "Security", pages=SECURITY_PAGES),
        Section(ADMINISTRATION, "Administration", area="admin"),
    ],
    ACCOUNT: [
        Entry("account.profile", "Profile", "user"),
        Entry("account.picture", "Picture", "image"),
        Entry("account.manage", "Account information", "list"),
        Entry("account.change_email_request", "Email address", "mail", pages=("account.change_email",)),
        Entry("account.security", "Security", "shield", pages=SECURITY_PAGES),
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
                "admin.change_user_name",
                "admin.change_user_email",
                "admin.change_account_type",
                "admin.disable_user",
                "admin.remove_second_factors",
                "admin.impersonate",
                "admin.delete_user_request",
                "admin.bulk_tasks",
                "admin.new_bulk_task",
                "admin.bulk_task",
            ),
        ),
        Entry("admin.invite_user", "Invite a user", "mail"),
        Entry("admin.new_user", "Add a user", "plus"),
        Entry(
            "admin.pages",
            "Pages",
            "edit",
            pages=("admin.new_page", "admin.page_info", "admin.edit_page", "admin.page_revision"),
        ),
        Entry("admin.roles", "Account types", "shield", pages=("admin.new_role", "admin.change_role")),
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
    """Copy the menus into the application, so that areas can add rows, and register the functions of the templates."""
    app.extensions["menus"] = {name: list(rows) for name, rows in MENUS.items()}
    app.jinja_env.globals.update(
        menu=menu,
        menu_links=links,
        may_open=may_open,
        must_set_up=must_set_up,
        visible_endpoints=visible_endpoints,
    )


def add_rows(app: Flask, name: str, rows: Sequence[Row]) -> None:
    """Add an area's rows to a menu, before its first :class:`Section` if it has one."""
    known: list[Row] = app.extensions["menus"].setdefault(name, [])
    place = next((number for number, row in enumerate(known) if isinstance(row, Section)), len(known))
    known[place:place] = rows


def menu(name: str) -> list[Link]:
    """Return the links of a menu that the current user may open."""
    return links(name, visible_endpoints(name), request.endpoint)


def visible_endpoints(name: str) -> tuple[str, ...]:
    """Return where a menu leads the current user, row by row."""
    may_see = link_filter()
    rows = current_app.extensions["menus"][name]
    found = (next(filter(may_see, _endpoints(row)), None) for row in rows)
    return tuple(endpoint for endpoint in found if endpoint is not None)


def links(name: str, endpoints: Sequence[str], shown: str | None) -> list[Link]:
    """Return the links of a menu to ``endpoints``, on the page ``shown``, whoever the visitor is."""
    rows = current_app.extensions["menus"][name]
    chosen = ((row, next((e for e in _endpoints(row) if e in endpoints), None)) for row in rows)
    return [_link(row, endpoint, shown or "") for row, endpoint in chosen if endpoint is not None]


def _endpoints(row: Row) -> list[str]:
    """Return the pages to which a row can lead: that of an entry, or those of a section's menu."""
    if isinstance(row, Entry):
        return [row.endpoint]
    return [entry.endpoint for entry in current_app.extensions["menus"][row.menu] if isinstance(entry, Entry)]


def _link(row: Row, endpoint: str, shown: str) -> Link:
    belongs = shown in row.pages if isinstance(row, Entry) else shown.startswith(f"{row.area}.")
    current = "page" if shown == endpoint else "true" if belongs else ""
    icon, style = (row.icon, row.style) if isinstance(row, Entry) else ("", "")
    return Link(url_for(endpoint), row.label, icon, style, current)
