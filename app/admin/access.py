"""Who may open which page of the admin area; a page that says nothing is for administrators."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, current_app, request
from flask_login import current_user
from werkzeug.wrappers import Response

from app.decorators import require_login
from app.models import Permission

View = TypeVar("View", bound=Callable[..., Any])

MENU = [
    ("admin.index", "Dashboard", "home"),
    ("admin.registered_users", "Users", "users"),
    ("admin.invite_user", "Invite a user", "mail"),
    ("admin.new_user", "Add a user", "plus"),
    ("admin.emails", "Emails", "send"),
    ("admin.jobs", "Jobs", "clock"),
    ("admin.audit", "Audit log", "list"),
]


def needs(permission: Permission) -> Callable[[View], View]:
    """Open the page to who holds ``permission``, administrators among them."""

    def mark(view: View) -> View:
        view.needed_permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def check_access() -> Response | None:
    """Answer where to send who may not come in; 403 for those who are known and not allowed; None lets pass."""
    refusal = require_login()
    if refusal is None and not current_user.can(_needed_permission(current_app.view_functions[request.endpoint or ""])):
        abort(403)
    return refusal


def menu() -> list[tuple[str, str, str]]:
    """Answer the rows of the side menu that the current user may open."""
    may, views = current_user.can, current_app.view_functions
    return [row for row in MENU if may(_needed_permission(views[row[0]]))]


def _needed_permission(view: View) -> Permission:
    return getattr(view, "needed_permission", Permission.ADMINISTER)
