"""What an administrator should still do about the site. Each check costs next to nothing: the dashboard asks them all.

`manage.py doctor` looks deeper.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import current_app, url_for
from flask_login import current_user

from app import maintenance
from app.figures import MOST_SAMPLE_USERS, SAMPLE_DOMAIN
from app.models.consent import sample_documents


@dataclass(frozen=True)
class Advice:
    """What is not as it should be, what to do, and where."""

    text: str
    cure: str
    url: str = ""


def advice(numbers: Mapping[str, int]) -> Iterator[Advice]:
    """Yield what to do about a site that is open to the public; nothing in development."""
    settings = current_app.config
    if settings["NAME"] == "development":
        return
    if samples := numbers.get("samples"):
        number = f"{samples:,}" if samples < MOST_SAMPLE_USERS else f"{MOST_SAMPLE_USERS:,} or more"
        what = f"Sample data: {number} {'user has an address' if samples == 1 else 'users have addresses'}"
        yield Advice(
            f"{what} at {SAMPLE_DOMAIN[1:]}.", "Delete them.", url_for("admin.registered_users", search=SAMPLE_DOMAIN)
        )
    if numbers.get("administrators") == 1 and current_user.is_admin():
        yield Advice("You are the only administrator.", "Invite another one.", url_for("admin.invite_user"))
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
        page_url = url_for("main.page", slug=page.editor_name)
        yield Advice(f"The page “{page.title}” is still a sample.", "Write and publish it.", page_url)
    if maintenance.is_on():
        yield Advice("The site is closed for maintenance.", "Run: manage.py maintenance off")
