"""Listing, showing and adding users."""

from collections.abc import Callable

from flask import abort, flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, lazyload
from werkzeug.wrappers import Response

from app.access import access
from app.admin import user_actions
from app.admin.blueprint import admin
from app.admin.bulk_tasks import ACTIONS
from app.admin.forms import ADDRESS_IS_TAKEN, InviteUserForm, NewUserForm
from app.admin.user_actions import RefusedError
from app.admin.views.emails import TONES
from app.extensions import db
from app.impersonation import may_impersonate
from app.kit.auth.sudo import sudo_required
from app.kit.pages.table import Table
from app.models import (
    USER_SORTS,
    USER_STATES,
    AuditEvent,
    Consent,
    Email,
    FactorRemoval,
    Permission,
    Role,
    User,
    UserSession,
    way_labels,
)

SHOWN_EVENTS = 20
SHOWN_EMAILS = 5


@admin.get("/users")
@access(Permission.VIEW_USERS)
def registered_users() -> str:
    """List all users."""
    roles = Role.names()
    role_ids = {str(role_id) for role_id in roles}
    table = Table.from_request(
        # The few roles are loaded already; joining them to each row would double the time of the query.
        select(User).options(lazyload(User.role)),
        columns=USER_SORTS,
        search=User,
        filters={"role": lambda value: User.role_id == int(value) if value in role_ids else None, "state": USER_STATES},
        sort="name",
    )
    return render_template(
        "admin/registered_users.html",
        table=table,
        roles=roles,
        actions={name: action for name, action in ACTIONS.items() if current_user.can(action.permission)},
        ways=way_labels(table.rows),
        last_seen=UserSession.last_seen_by_user([user.id for user in table.rows]),
        state_choices=[(state, state) for state in USER_STATES],
    )


@admin.get("/user/<int:user_id>/info")
@admin.get("/user/<int:user_id>")
@access(Permission.VIEW_USERS)
def user_info(user_id: int) -> str:
    """Show a user's details, sessions, consents, latest emails and audit events."""
    user, removal, sessions = _with_removal_and_sessions(user_id)
    emails = select(Email).where(Email.user_id == user.id)
    events = AuditEvent.with_people().where(AuditEvent.about([user.id]))
    return render_template(
        "admin/user_info.html",
        user=user,
        may_impersonate=may_impersonate(current_user, user),
        ways=way_labels([user])[user.id],
        removal=removal,
        sessions=sessions,
        consents=Consent.of(user),
        emails=db.session.scalars(emails.order_by(Email.id.desc()).limit(SHOWN_EMAILS)).all(),
        email_tones=TONES,
        events=db.session.scalars(events.order_by(AuditEvent.id.desc()).limit(SHOWN_EVENTS)).all(),
    )


def _with_removal_and_sessions(user_id: int) -> tuple[User, FactorRemoval | None, list[UserSession]]:
    """Return a user, the removal of second factors that waits, and the living sessions, in one query."""
    query = (
        select(User, FactorRemoval, UserSession)
        .outerjoin(FactorRemoval, FactorRemoval.user_id == User.id)
        .outerjoin(UserSession, UserSession.user_id == User.id)
        .options(joinedload(FactorRemoval.requested_by).lazyload(User.role))
    )
    rows = db.session.execute(query.where(User.id == user_id).order_by(UserSession.last_seen_at.desc())).all()
    if not rows:
        abort(404)
    return rows[0][0], rows[0][1], [session for _, _, session in rows if session and not session.is_expired]


@admin.route("/new-user", methods=["GET", "POST"])
@access(Permission.CHANGE_USERS)
@sudo_required
def new_user() -> str | Response:
    """Add a user who can log in at once."""
    form = NewUserForm()
    if form.validate_on_submit():
        user = save_user(form, lambda: user_actions.add_user(*_person(form), form.password.data))
        if user:
            flash(f"{user.full_name()} can log in now.", "success")
            return redirect(url_for("admin.user_info", user_id=user.id))
    return render_template("admin/new_user.html", form=form)


@admin.route("/invite-user", methods=["GET", "POST"])
@access(Permission.CHANGE_USERS)
@sudo_required
def invite_user() -> str | Response:
    """Add a user who sets a password with a mailed link."""
    form = InviteUserForm()
    if form.validate_on_submit():
        user = save_user(form, lambda: user_actions.invite_user(*_person(form)))
        if user:
            flash(f"{user.full_name()} is invited.", "success")
            return redirect(url_for("admin.user_info", user_id=user.id))
    return render_template("admin/invite_user.html", form=form)


def _person(form: InviteUserForm) -> tuple[str, str, str, Role]:
    return form.first_name.data, form.last_name.data, form.email.data, form.chosen_role


def save_user(form: InviteUserForm, action: Callable[[], User]) -> User | None:
    """Run ``action`` and commit. If it is refused or the address is taken, return None, with an error in ``form``.

    The form has checked the address before. Only the unique index catches a request at the same time.
    """
    try:
        user = action()
        db.session.commit()
    except (IntegrityError, RefusedError) as problem:
        db.session.rollback()
        form.email.errors = [str(problem) if isinstance(problem, RefusedError) else ADDRESS_IS_TAKEN]
        return None
    return user
