"""Listing a user's sessions and ending them."""

from flask import abort, flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.account.blueprint import account
from app.extensions import db
from app.kit.auth.sudo import sudo_required
from app.models import AuditEvent, UserSession
from app.sessions import current_session, log_out


@account.get("/sessions")
def sessions() -> str:
    """List the browsers that are logged in, the most recently seen first."""
    return render_template(
        "account/sessions.html", sessions=UserSession.living(current_user), current=current_session()
    )


@account.post("/sessions/<int:session_id>/end")
@sudo_required
def end_session(session_id: int) -> Response:
    """Log out one browser of the current user."""
    query = select(UserSession).where(UserSession.id == session_id, UserSession.user_id == current_user.id)
    chosen = db.session.scalar(query) or abort(404)
    AuditEvent.record("session.ended", subject=current_user)
    if chosen is current_session():
        log_out()
        flash("You are logged out.", "info")
        return redirect(url_for("main.index"))
    chosen.end()
    db.session.commit()
    flash("That browser is logged out.", "success")
    return redirect(url_for("account.sessions"))


@account.post("/sessions/end-others")
@sudo_required
def end_other_sessions() -> Response:
    """Log out every other browser of the current user."""
    UserSession.end_all(current_user, except_id=current_session().id)
    AuditEvent.record("session.others_ended", subject=current_user)
    db.session.commit()
    flash("All other browsers are logged out.", "success")
    return redirect(url_for("account.sessions"))
