"""Sign-in with a provider: from our button to its page, and what its answer leads to.

An identity is what the provider calls somebody, never an address: who has the address of an account at some provider
does not get into the account. Its owner logs in, and links the identity. How providers differ from one another is
in kit/auth: their settings in provider_settings.py, the requests to them in openid.py.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import asdict
from secrets import token_urlsafe

from flask import current_app, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app import email
from app.account.forms import ProviderSignUpForm
from app.account.sign_up import awaits_confirmation, lock_user, newcomers_role_id, register
from app.extensions import db
from app.kit.auth.provider_settings import Attempt, Identity, Provider, ProviderError
from app.kit.auth.user_agent import request_details
from app.kit.db.database import insert_unless_taken, lock_row, lock_unchanged, utc_now
from app.kit.http.links import external_url
from app.models import AuditEvent, Consent, Flow, LinkedIdentity, User, Way, has_other_way_in
from app.newcomer import remember_newcomer
from app.sessions import current_session
from app.sign_in import Proof, enter

LOGIN, SIGN_UP = "provider", "provider_sign_up"
ERROR_CODE = re.compile(r"[a-z_]{1,40}")
log = logging.getLogger(__name__)


class RefusedError(Exception):
    """Nobody is logged in, and nothing is linked. The message tells the user why.

    ``next_page`` is where to go after logging in.
    """

    def __init__(self, message: str, next_page: str = "") -> None:
        super().__init__(message)
        self.next_page = next_page


def begin(provider: Provider, user: User | None = None, next_page: str = "") -> str:
    """Begin a login, or a link to the account of ``user``, and return the provider's address; commit."""
    # Imported here: 18 MiB, which only a site with a provider needs.
    from app.kit.auth.openid import authorization_url

    data = {"nonce": token_urlsafe(), "verifier": token_urlsafe(48), "next": next_page}
    state = Flow.begin(LOGIN, user, provider=provider.name, **data)
    # Before the request: while the provider takes its time, no transaction is open.
    db.session.commit()
    try:
        return authorization_url(provider, _attempt(provider, state, data))
    except ProviderError as error:
        raise _failure(provider, error) from error


def finish(provider: Provider, answer: Mapping[str, str]) -> tuple[Flow, Identity]:
    """Return what was begun and whom the provider has identified, for the ``answer`` in the URL; commit.

    A flow with a user is a link to that user's account, others are logins. It is used up before the provider is asked,
    so of many requests with one answer one goes on.
    """
    # Imported here: 18 MiB, which only a site with a provider needs.
    from app.kit.auth.openid import identify

    state = answer.get("state", "")
    flow = Flow.with_token(LOGIN, state)
    if flow is None or flow.data["provider"] != provider.name or not flow.take():
        raise RefusedError(
            f"This login with {provider.label} took too long, was used before, or began in another browser. Try again."
        )
    db.session.commit()
    if "error" in answer or not answer.get("code"):
        raise _denial(provider, answer.get("error", ""))
    try:
        return flow, identify(provider, _attempt(provider, state, flow.data), answer["code"], answer.get("iss"))
    except ProviderError as error:
        raise _failure(provider, error) from error


def _attempt(provider: Provider, state: str, data: Mapping[str, str]) -> Attempt:
    # By BASE_URL: a forged Host header must not send the code to another site.
    redirect_uri = external_url("account.provider_callback", name=provider.name)
    return Attempt(redirect_uri, state, data["nonce"], data["verifier"])


def _failure(provider: Provider, error: Exception) -> RefusedError:
    fields = {"provider": provider.name, "reason": str(error)}
    log.warning("a provider's answer was refused", extra={"fields": fields})
    return RefusedError(f"{provider.label} did not answer as it should. Try again later, or log in another way.")


def _denial(provider: Provider, code: str) -> RefusedError:
    # Anybody can write this code into a URL.
    fields = {"provider": provider.name, "reason": code if ERROR_CODE.fullmatch(code) else ""}
    log.info("a provider did not log anybody in", extra={"fields": fields})
    return RefusedError(f"You did not continue with {provider.label}. Try again, or choose another way.")


def log_in(provider: Provider, identity: Identity, next_page: str) -> Response:
    """Log in the user who has linked the identity, or offer to sign up; commit, and return where to go next."""
    known = LinkedIdentity.known(identity.issuer, identity.subject)
    if known is None:
        return _offer_to_sign_up(provider, identity, next_page)
    user, known.last_used_at = known.user, utc_now()
    response = enter(user, Proof(Way.PROVIDER, back_to=next_page))
    if response is None:
        raise RefusedError("You cannot log in with this account.")
    return response


def _offer_to_sign_up(provider: Provider, identity: Identity, next_page: str) -> Response:
    # Whoever has a verified address is its owner, and may know of the account. Others must not learn of it.
    holder = User.with_email(identity.email) if identity.email_is_verified else None
    if holder is not None and holder.is_invited:
        raise RefusedError(f"{holder.email} is invited. Open the link in our email first, then link {provider.label}.")
    if holder is not None and not awaits_confirmation(holder, newcomers_role_id()):
        raise _taken(provider, holder.email)
    Flow.begin(SIGN_UP, provider=provider.name, next=next_page, identity=asdict(identity))
    db.session.commit()
    return redirect(url_for("account.register_with_provider"))


def _taken(provider: Provider, address: str) -> RefusedError:
    text = f"{address} has an account here. Log in to it first, then link {provider.label} on this page."
    return RefusedError(text, url_for("account.security"))


def sign_up_that_waits() -> tuple[Flow, Provider, Identity] | None:
    """Return the sign-up for which the form of this browser asks for the rest, or None."""
    flow = Flow.newest(SIGN_UP)
    provider = current_app.config["PROVIDERS"].get(flow.data["provider"]) if flow else None
    return (flow, provider, Identity(**flow.data["identity"])) if flow and provider else None


def sign_up(flow: Flow, provider: Provider, identity: Identity, form: ProviderSignUpForm) -> Response:
    """Add the user, and log in if the provider has verified the address; commit, and return where to go next."""
    LinkedIdentity.unlink_unconfirmed(identity.issuer, identity.subject)
    if LinkedIdentity.known(identity.issuer, identity.subject) or not flow.take():
        raise RefusedError(f"You have signed up with {provider.label} already. Log in with it.")
    row = _row(provider, identity)
    if not identity.email_is_verified:
        register(form, row)
        db.session.commit()
        remember_newcomer(form.email.data)
        return redirect(url_for("account.unconfirmed"))
    user = _register_confirmed(form, identity.email, row)
    if user is None:
        raise _taken(provider, identity.email)
    return enter(user, Proof(Way.PROVIDER, back_to=flow.data["next"])) or redirect(url_for("account.login"))


def _register_confirmed(form: ProviderSignUpForm, address: str, identity: LinkedIdentity) -> User | None:
    """Add a user whose address a provider has verified, and return it, or None if an account has the address.

    An unconfirmed account is deleted with all that belongs to it: whoever made it must not share this one. The caller
    commits.
    """
    holder = lock_user(address)
    if holder is not None and not awaits_confirmation(holder, newcomers_role_id()):
        return None
    if holder is not None:
        db.session.delete(holder)
        db.session.flush()
    user = User(first_name=form.first_name.data, last_name=form.last_name.data, email=address, confirmed=True)
    identity.user, identity.last_used_at = user, utc_now()
    db.session.add_all([user, identity])
    db.session.flush()
    Consent.record(user.id, "sign-up", form.documents)
    AuditEvent.record("user.registered", subject=user, provider=identity.provider)
    return user


def link(provider: Provider, identity: Identity, begun: Flow) -> None:
    """Link the identity to the account of who began this, and is still logged in. The caller commits."""
    user = current_session().user if current_user.is_authenticated else None
    if user is None or not begun.is_of(user):
        raise RefusedError("Your account was changed meanwhile, or another one is logged in. Try again.")
    lock_unchanged(db.session, user)
    LinkedIdentity.unlink_unconfirmed(identity.issuer, identity.subject)
    if not insert_unless_taken(db.session(), LinkedIdentity, user_id=user.id, **_row(provider, identity).told()):
        known = LinkedIdentity.known(identity.issuer, identity.subject)
        whose = "your account already" if known and known.user_id == user.id else "another account here"
        raise RefusedError(f"This account at {provider.label} is linked to {whose}.")
    email.identity_linked.send(user, provider=provider.label, **request_details())
    AuditEvent.record("identity.linked", subject=user, provider=provider.label)


def unlink(user: User, identity_id: int) -> LinkedIdentity | None:
    """Remove a linked identity of ``user`` and return it, or None if it is not theirs. The caller commits."""
    # Of two requests at once that remove the last two, one sees the other's.
    lock_row(db.session, user)
    row = db.session.get(LinkedIdentity, identity_id)
    if row is None or row.user_id != user.id:
        return None
    if not has_other_way_in(user, without=row):
        raise RefusedError("This is your only way to log in. Add another one first.")
    db.session.delete(row)
    email.identity_unlinked.send(user, provider=label_of(row), **request_details())
    AuditEvent.record("identity.unlinked", subject=user, provider=label_of(row))
    return row


def label_of(row: LinkedIdentity) -> str:
    """Return the name of an identity's provider, which may not be in the settings any more."""
    provider = current_app.config["PROVIDERS"].get(row.provider)
    return provider.label if provider else row.provider


def _row(provider: Provider, identity: Identity) -> LinkedIdentity:
    return LinkedIdentity(
        issuer=identity.issuer, subject=identity.subject, provider=provider.name, email=identity.email
    )
