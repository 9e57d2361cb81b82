"""The second step of a login."""

from flask import render_template
from werkzeug.wrappers import Response

from app.access import VISITORS, access
from app.account.blueprint import account
from app.account.forms import SecondFactorForm
from app.extensions import db, limiter
from app.kit.auth.limits import from_config
from app.models import second_factors
from app.second_factors import use_code
from app.sign_in import begun, finish


@account.route("/second-factor", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"])
def second_factor() -> str | Response:
    """Ask for a second factor after the first one. Without a login that waits for it, say so."""
    flow, form = begun(), SecondFactorForm()
    if flow is None or flow.user is None:
        return render_template("account/second_factor.html", form=None)
    if form.validate_on_submit():
        if way := use_code(flow.user, form.code.data):
            return finish(flow, way) or render_template("account/second_factor.html", form=None)
        db.session.rollback()
        form.code.errors = ["This code is wrong."]
    return render_template("account/second_factor.html", form=form, ways=second_factors(flow.user))
