"""What users call themselves, and the time zone they live in."""

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.account.blueprint import account
from app.account.forms import ProfileForm
from app.extensions import db
from app.models import AuditEvent
from app.sessions import current_session


@account.route("/manage/profile", methods=["GET", "POST"])
def profile() -> str | Response:
    """Edit one's own profile."""
    form = ProfileForm(obj=current_user)
    if form.validate_on_submit():
        _save(form)
        db.session.commit()
        flash("Your profile is saved.", "success")
        return redirect(url_for("account.profile"))
    return render_template("account/profile.html", form=form)


def _save(form: ProfileForm) -> None:
    user = current_session().user
    user.first_name, user.last_name = form.first_name.data, form.last_name.data
    user.nickname, user.time_zone, user.about = form.nickname.data or "", form.time_zone.data, form.about.data
    if db.session.is_modified(user):
        AuditEvent.record("user.profile_changed", subject=user)
