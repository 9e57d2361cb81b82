"""The second step of a login."""

from flask import render_template
from werkzeug.wrappers import Response

from app.access import VISITORS, access
from app.account.blueprint import account
from app.account.factor_forms import SecondFactorForm
from app.extensions import db, limiter
from app.kit.auth.guesses import counted_guess, second_factor_limits
from app.kit.auth.limits import from_config
from app.models import User, Way, second_factors
from app.second_factors import problem_with, tried, use_code
from app.sign_in import begun, finish


@account.route("/second-factor", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"])
def second_factor() -> str | Response:
    """Ask for a second factor after the first one. Without a login that waits for it, say so."""
    flow, form = begun(), SecondFactorForm()
    if flow is None or flow.user is None:
        return _page(None, None)
    user = flow.user
    if form.validate_on_submit():
        typed = form.code.data
        way = counted_guess(second_factor_limits(user.uid), lambda: tried(flow, user, lambda: use_code(user, typed)))
        if way:
            return finish(flow, way) or _page(None, None)
        form.code.errors = [problem_with(user, typed)]
        db.session.commit()
        if begun() is None:
            return _page(None, None)
    return _page(form, user)


def _page(form: SecondFactorForm | None, user: User | None) -> str:
    ways = second_factors(user) if user else frozenset()
    if form and Way.APP not in ways:
        form.code.label.text = "Recovery code"
    return render_template("account/second_factor.html", form=form, ways=ways)
