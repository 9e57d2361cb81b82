"""Every way into the site, each taken over HTTP as a browser would."""

from collections.abc import Callable
from dataclasses import dataclass, field

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.extensions import db
from app.kit.auth.webauthn import Site, creation_options, new_key, read
from app.mailed_codes import code_for
from app.models import AuthenticatorApp, Flow, LinkedIdentity, Passkey, RecoveryCode, User
from app.models.flow import digest
from tests.account.mailed import mailed_link
from tests.authenticator import Authenticator
from tests.factories import PASSWORD
from tests.servers.identity_provider import FaultyProvider

NEW_PASSWORD = "nanosecond wire in hand"
PROVIDER, ORIGIN = "/account/providers/example", "http://localhost:5000"


@dataclass
class Person:
    """A user with a browser, and what they hold."""

    user: User
    client: FlaskClient
    provider: FaultyProvider
    authenticator: Authenticator = field(default_factory=Authenticator)

    def add_factors(self, *factors: str) -> None:
        """Let the user have an "app" or a "passkey", and saved recovery codes with the first one."""
        if "app" in factors:
            db.session.add(AuthenticatorApp(user_id=self.user.id, encrypted_secret="-"))
        if "passkey" in factors:
            self._add_passkey()
        if factors:
            db.session.add(RecoveryCode(user_id=self.user.id, code_hash=digest(f"a code of {self.user.uid}")))
        db.session.commit()

    def _add_passkey(self) -> None:
        handle, site = self.user.uid.encode(), Site("A site", ORIGIN)
        made = read(self.authenticator.create(creation_options(site, "AAAA", handle, ("", ""), ())))
        key = new_key(site, "AAAA", made)
        db.session.add(Passkey(user_id=self.user.id, user_handle=handle, name="A key", **vars(key)))


def by_password(person: Person) -> TestResponse:
    """Log in with the form."""
    return person.client.post("/account/login", data={"email": person.user.email, "password": PASSWORD})


def by_passkey(person: Person, path: str = "/account/login/passkey") -> TestResponse:
    """Log in with the button below it; the second step has one, too."""
    options = person.client.post(path).json
    return person.client.post(path, data={"credential": person.authenticator.sign(options or {})})


def by_provider(person: Person) -> TestResponse:
    """Log in with a linked account."""
    linked = {"issuer": person.provider.issuer, "subject": person.user.uid, "provider": "example"}
    db.session.add(LinkedIdentity(user_id=person.user.id, **linked))
    person.provider.person = {"sub": person.user.uid}
    begun = person.client.post(PROVIDER).headers["Refresh"].removeprefix("0; url=")
    return person.client.get(person.provider.choose(begun))


def by_sign_up(person: Person) -> TestResponse:
    """Sign up with a provider that has verified the address. The account that had it takes another one before."""
    address, person.user.email = person.user.email, f"former.{person.user.email}"
    person.provider.person = {"sub": address, "email": address, "email_verified": True}
    begun = person.client.post(PROVIDER).headers["Refresh"].removeprefix("0; url=")
    form = person.client.get(person.provider.choose(begun)).location
    response = person.client.post(form, data={"first_name": "Ada", "last_name": "Lovelace"})
    made = User.with_email(address)
    assert made is not None
    person.user = made
    return response


def _ask_for_code(person: Person) -> None:
    person.client.post("/account/email-code", data={"email": person.user.email})


def by_code(person: Person) -> TestResponse:
    """Type a mailed code."""
    _ask_for_code(person)
    nonce = Flow.living("mailed_code", person.user)[0].data["nonce"]
    return person.client.post("/account/email-code/enter", data={"code": code_for("mailed_code", nonce)})


def by_code_link(person: Person) -> TestResponse:
    """Press the button behind the link in the same email."""
    _ask_for_code(person)
    return person.client.post(mailed_link("mailed_code", person.user.email))


def by_invitation(person: Person) -> TestResponse:
    """Join."""
    person.user.password_hash, person.user.is_invited, person.user.confirmed = None, True, False
    db.session.commit()
    link = f"/account/join-from-invite/{person.user.id}/{person.user.generate_invitation_token()}"
    return person.client.post(link, data={"password": NEW_PASSWORD, "password2": NEW_PASSWORD})


def by_reset(person: Person) -> TestResponse:
    """Set a new password."""
    form = person.client.get(f"/account/reset-password/{person.user.generate_password_reset_token()}").location
    return person.client.post(form, data={"new_password": NEW_PASSWORD, "new_password2": NEW_PASSWORD})


def by_not_me(person: Person) -> TestResponse:
    """Lock an intruder out."""
    return person.client.post(f"/account/not-me/{person.user.generate_not_me_token(person.user.email)}")


def by_take_back(person: Person) -> TestResponse:
    """Do so from an address that the account had before."""
    former, moved = person.user.email, person.user.generate_email_change_token(f"new.{person.user.email}")
    assert person.user.redeem_email_change(moved)
    db.session.commit()
    return person.client.post(f"/account/not-me/{person.user.generate_not_me_token(former)}")


def by_confirmation(person: Person) -> TestResponse:
    """Confirm the address of a sign-up."""
    person.user.confirmed = False
    db.session.commit()
    return person.client.post(f"/account/confirm-account/{person.user.generate_confirmation_token()}")


def by_change_of_address(person: Person) -> TestResponse:
    """Confirm another address."""
    token = person.user.generate_email_change_token(f"new.{person.user.email}")
    return person.client.post(f"/account/manage/change-email/{token}")


# With the function of the code that calls the gate; those without one never log in.
ENTRIES: dict[Callable[[Person], TestResponse], str] = {
    by_password: "account/views/sign_in.py: login",
    by_passkey: "account/views/passkeys.py: login_with_passkey",
    by_provider: "account/providers.py: log_in",
    by_sign_up: "account/providers.py: sign_up",
    by_code: "account/views/mailed_code.py: _log_in",
    by_code_link: "account/views/mailed_code.py: _log_in",
    by_invitation: "account/views/registration.py: join_from_invite",
    by_reset: "",
    by_not_me: "",
    by_take_back: "",
    by_confirmation: "",
    by_change_of_address: "",
}
