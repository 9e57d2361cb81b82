"""Logging in, signing up and linking with a provider."""

from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access import ANYONE, VISITORS, access
from app.account import providers
from app.account.blueprint import account
from app.account.forms import ProviderSignUpForm
from app.account.mailed_links import private_page
from app.extensions import db, limiter
from app.kit.auth.guesses import count_action
from app.kit.auth.limits import client_address, from_config
from app.kit.auth.provider_settings import Provider
from app.kit.auth.sudo import sudo_required
from app.models import User
from app.sessions import current_session


@account.post("/providers/<name>")
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"))
@private_page
def log_in_with_provider(name: str) -> Response:
    """Begin to log in or sign up with a provider."""
    return _to_provider(_provider(name), None, request.args.get("next", ""))


@account.post("/providers/<name>/link")
@limiter.limit(from_config("FORM_LIMIT"))
@sudo_required
@private_page
def link_provider(name: str) -> Response:
    """Begin to link an account at a provider to one's own account."""
    return _to_provider(_provider(name), current_session().user)


def _provider(name: str) -> Provider:
    provider: Provider = current_app.config["PROVIDERS"].get(name) or abort(404)
    return provider


def _to_provider(provider: Provider, user: User | None, next_page: str = "") -> Response:
    """Return a page that leads to the provider at once.

    After a redirect, the browser would apply our CSP's ``form-action`` to the provider's address, and to each to which
    the provider redirects in turn, such as that of a company's own login. Nobody knows them when the form is shown.
    """
    url = providers.begin(provider, user, next_page)
    response = make_response(render_template("account/to_provider.html", provider=provider, url=url))
    response.headers["Refresh"] = f"0; url={url}"
    return response


@account.get("/providers/<name>/callback")
@access(ANYONE)
@limiter.limit(from_config("FORM_LIMIT"))
@private_page
def provider_callback(name: str) -> Response:
    """Read the provider's answer. By the standard it is a GET that logs in; its ``state`` works once, and only here."""
    provider = _provider(name)
    begun, identity = providers.finish(provider, request.args)
    if begun.user_id is None:
        return providers.log_in(provider, identity, begun.data["next"])
    providers.link(provider, identity, begun)
    db.session.commit()
    flash(f"{provider.label} is linked: you can log in with it.", "success")
    return redirect(url_for("account.security"))


@account.route("/register/provider", methods=["GET", "POST"])
@access(VISITORS)
@limiter.limit(from_config("FORM_LIMIT"), methods=["POST"])
@private_page
def register_with_provider() -> str | Response:
    """Ask for what a provider did not tell about somebody, then add the user."""
    waiting = providers.sign_up_that_waits()
    if waiting is None:
        flash("Your sign-up took too long, or is finished already. Log in, or begin again.", "error")
        return redirect(url_for("account.login"))
    flow, provider, identity = waiting
    form = ProviderSignUpForm(obj=identity)
    if identity.email_is_verified:
        del form.email
    if form.validate_on_submit():
        count_action("REGISTER_LIMIT", client_address())
        return providers.sign_up(flow, provider, identity, form)
    return render_template("account/register_with_provider.html", form=form, provider=provider, identity=identity)


@account.post("/identities/<int:identity_id>/unlink")
@sudo_required
def unlink_identity(identity_id: int) -> Response:
    """Remove an account at a provider from one's own account."""
    row = providers.unlink(current_session().user, identity_id) or abort(404)
    db.session.commit()
    flash(f"{providers.label_of(row)} is unlinked.", "success")
    return redirect(url_for("account.security"))


@account.errorhandler(providers.RefusedError)
@private_page
def _explain(refusal: providers.RefusedError) -> Response:
    """Say why nobody is logged in, or nothing is linked."""
    db.session.rollback()
    flash(str(refusal), "info" if refusal.next_page else "error")
    if current_user.is_authenticated:
        return redirect(url_for("account.security"))
    return redirect(url_for("account.login", next=refusal.next_page or None))
