"""Setting an authenticator app up. Until it has shown its first code, its secret is in a flow."""

from dataclasses import dataclass

from flask import current_app
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import delete

from app import second_factors
from app.extensions import db
from app.kit.auth import totp
from app.kit.core.data_keys import UnreadableError, decrypt, encrypt
from app.kit.db.database import insert_unless_taken, lock_unchanged
from app.models import AuthenticatorApp, Flow, Way
from app.models.flow import PLAIN
from app.sessions import current_session

NEW_APP = "new_app"
WHAT = "The authenticator app"
GROUP = 4


@dataclass(frozen=True)
class NewApp:
    """An app that is being set up by the current user."""

    encrypted_secret: str
    secret: bytes

    @property
    def link(self) -> str:
        """The link that sets the app up on the device that opens it."""
        return totp.setup_link(self.secret, current_app.config["APP_NAME"], current_user.email)

    @property
    def qr_code(self) -> Markup:
        """The link as a QR code. Black on white in every mode: not every camera reads it the other way round."""
        # Imported here, because no other page needs it.
        import segno

        code = segno.make(self.link, micro=False, error="m")
        drawn = code.svg_inline(border=4, light="#fff", omitsize=True, title="QR code for the app", svgclass=None)
        return Markup(drawn)  # noqa: S704 - drawn by segno

    @property
    def groups(self) -> list[str]:
        """The secret as text, in groups that are easy to type."""
        text = totp.as_text(self.secret)
        return [text[start : start + GROUP] for start in range(0, len(text), GROUP)]


def begin() -> None:
    """Make a new secret for the current user. The caller commits."""
    Flow.begin(NEW_APP, current_user, secret=encrypt(totp.new_secret()))


def begun() -> NewApp | None:
    """Return the app that the current user sets up in this browser, or None."""
    flow = Flow.newest(NEW_APP)
    if flow is None or flow.user_id != current_user.id:
        return None
    try:
        return NewApp(flow.data["secret"], decrypt(flow.data["secret"]))
    except UnreadableError:  # the key was taken away meanwhile
        return None


def finish(new: NewApp, typed: str) -> str | None:
    """Add the app if it has shown the code that was typed, else return what is wrong. The caller commits."""
    code = totp.typed_code(typed)
    step = totp.accepted_step(new.secret, code) if code else None
    if code is None or step is None:
        is_wrong_clock = code is not None and totp.is_of_wrong_clock(new.secret, code)
        return second_factors.WRONG_CLOCK if is_wrong_clock else "This code is wrong. Enter the one that the app shows."
    user = current_session().user
    lock_unchanged(db.session, user)
    values = {"user_id": user.id, "encrypted_secret": new.encrypted_secret, "last_step": step}
    if insert_unless_taken(db.session(), AuthenticatorApp, **values):
        second_factors.added(user, current_session(), Way.APP, WHAT)
    if flow := Flow.newest(NEW_APP):
        flow.take()
    return None


def remove() -> bool:
    """Remove the app of the current user; return False without one. The caller commits."""
    user = current_session().user
    lock_unchanged(db.session, user)
    removing = delete(AuthenticatorApp).where(AuthenticatorApp.user_id == user.id).returning(AuthenticatorApp.id)
    if db.session.scalar(removing, execution_options=PLAIN) is None:
        return False
    second_factors.removed(user, WHAT)
    return True
