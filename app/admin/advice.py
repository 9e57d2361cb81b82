"""What an administrator should still do about the site. Each check costs next to nothing: the dashboard asks them all.

`manage.py doctor` looks deeper.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import current_app, url_for
from flask_login import current_user

from app import maintenance
from app.access import may_open
from app.figures import MOST_SAMPLE_USERS, SAMPLE_DOMAIN
from app.models.consent import sample_documents


@dataclass(frozen=True)
class Advice:
    """What is not as it should be, what to do, and where."""

    text: str
    cure: str
    endpoint: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The URL of the page, or "" if the reader may not open it."""
        return url_for(self.endpoint, **self.values) if self.endpoint and may_open(self.endpoint) else ""


def advice(numbers: Mapping[str, int]) -> Iterator[Advice]:
    """Yield what to do about a site that is open to the public; nothing in development."""
    settings = current_app.config
    if settings["NAME"] == "development":
        return
    if samples := numbers.get("samples"):
        number = f"{samples:,}" if samples < MOST_SAMPLE_USERS else f"{MOST_SAMPLE_USERS:,} or more"
        what = f"Sample data: {number} {'user has an address' if samples == 1 else 'users have addresses'}"
        search = {"search": SAMPLE_DOMAIN}
        yield Advice(f"{what} at {SAMPLE_DOMAIN[1:]}.", "Delete them.", "admin.registered_users", search)
    if numbers.get("administrators") == 1 and current_user.is_admin():
        yield Advice("You are the only administrator.", "Invite another one.", "admin.invite_user")
    if settings["SECOND_FACTOR_REQUIRED"] == "none":
        what = "Administrators can log in with a password alone."
        yield Advice(what, "Set SECOND_FACTOR_REQUIRED=admin.")
    if settings["ADMIN_PASSWORD"]:
        yield Advice("ADMIN_PASSWORD is still set.", "Remove it: only manage.py setup_prod needs it.")
    if not settings["BACKUP_DIR"]:
        yield Advice("No backups are made.", "Set BACKUP_DIR, unless your database host makes them.")
    if settings["APP_NAME"] == "Flask-Base":
        yield Advice("The site still has the name of the template.", "Set APP_NAME.")
    for page in sample_documents():
        where = {"page_id": page.id}
        yield Advice(f"The page “{page.title}” is still a sample.", "Write and publish it.", "admin.page_info", where)
    if maintenance.is_on():
        yield Advice("The site is closed for maintenance.", "Run: manage.py maintenance off")
