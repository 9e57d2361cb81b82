"""An administrator looks at the site as another user.

The browser stays logged in as the administrator. Its cookie also holds the token of a second session, which belongs to
the user and points to the administrator's: when either row is gone, this is over. Every request is checked here, and
all but looking is refused.
"""

from dataclasses import dataclass
from datetime import datetime

from flask import current_app, flash, g, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from app.extensions import db
from app.kit.db.database import utc_now
from app.models import AuditEvent, Permission, User, UserSession

# The account area is closed to administrators who look at the site as its owner: passwords, addresses, sessions and
# whatever else a release or a fork adds to it. These pages only show.
SHOWN_TO_IMPERSONATORS = {"account.manage", "account.picture_file"}
WAYS_BACK = {"admin.stop_impersonating", "account.logout"}
READING = {"GET", "HEAD", "OPTIONS"}

_KEY = "impersonation"
# A form that was open before must not be sent as the other person.
_OF_ONE_PERSON = (_KEY, "csrf_token", "interrupted_form")


class ImpersonationRefusal(Forbidden):
    """An administrator who looks at the site as another user wanted to do more than look."""


@dataclass(frozen=True)
class Impersonation:
    """Who looks at the site as whom, in values that need no database: error pages show them, too."""

    session_id: int
    person: str
    person_id: int
    administrator_id: int
    ends_at: datetime

    @property
    def minutes_left(self) -> int:
        """The minutes that remain, the last one included."""
        return int((self.ends_at - utc_now()).total_seconds()) // 60 + 1


def may_impersonate(administrator: User, user: User) -> bool:
    """Return whether ``administrator`` has the permission, and more permissions than ``user``, who may log in."""
    role = administrator.role
    may = role is not None and role.has(Permission.IMPERSONATE) and role.outranks(user.role)
    return may and administrator.may_log_in and user.may_log_in and administrator.id != user.id


def begin(user: User, reason: str) -> None:
    """Let this browser see the site as ``user``. The caller has checked who may, and commits."""
    own: UserSession = g.user_session
    _row, token = own.impersonate(user)
    _forget_forms()
    session[_KEY] = token
    AuditEvent.record("user.impersonated", subject=user, reason=reason)


def end() -> int | None:
    """Return to the administrator's own account, commit, and return the user's id; None if this was over already."""
    looked = current()
    if looked is None:
        return None
    AuditEvent.record("user.impersonation_ended", subject=db.session.get(User, looked.person_id))
    row = db.session.get(UserSession, looked.session_id)
    if row is not None:
        row.end()
    db.session.commit()
    _forget_forms()
    return looked.person_id


def is_claimed() -> bool:
    """Return whether this browser's cookie names another user, without the database, and for visitors at no cost."""
    return current_app.config["SESSION_COOKIE_NAME"] in request.cookies and _KEY in session


def current() -> Impersonation | None:
    """Return as whom the administrator of this request looks at the site. Valid after ``current_user`` was loaded."""
    return g.get("impersonation")


def person_seen_by(own: UserSession) -> User | None:
    """Return the user as whom the owner of this session looks at the site, or None; if this is over, forget it."""
    if not is_claimed():
        return None
    row = UserSession.with_token(session[_KEY])
    if row is None or row.impersonator_session_id != own.id or not may_impersonate(own.user, row.user):
        _forget_forms()
        g.impersonation_is_over = True
        return None
    ends_at = row.created_at + current_app.config["IMPERSONATION_LIFETIME"]
    g.impersonation = Impersonation(row.id, row.user.display_name, row.user_id, own.user_id, ends_at)
    g.user_id, g.impersonator_id = row.user_id, own.user_id
    return row.user


def check_request() -> Response | None:
    """Let an administrator who looks at the site as another user only look, and never into the account itself."""
    # This loads the user, and finds out as whom they look at the site, or that the time for it is over.
    is_authenticated = current_user.is_authenticated
    if g.pop("impersonation_is_over", False):
        flash("You see the site as yourself again: your time to look at it as another user is over.", "info")
        return redirect(url_for("main.index"))
    endpoint = request.endpoint or ""
    if not is_authenticated or current() is None or endpoint in WAYS_BACK:
        return None
    changes = request.method not in READING
    if is_closed(endpoint) or (changes and endpoint not in current_app.config["CHANGES_WHILE_IMPERSONATING"]):
        raise ImpersonationRefusal
    return None


def is_closed(endpoint: str) -> bool:
    """Return whether an administrator who looks at the site as another user may not open this page."""
    return endpoint.startswith("account.") and endpoint not in SHOWN_TO_IMPERSONATORS


def _forget_forms() -> None:
    for name in _OF_ONE_PERSON:
        session.pop(name, None)
    for name in ("csrf_token", "impersonation", "impersonator_id"):
        g.pop(name, None)
