"""Setting up an authenticator app and recovery codes, and removing the app."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import choice
from typing import ClassVar, Self

from flask import current_app
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import delete

from app import second_factors
from app.extensions import db
from app.kit.auth import totp
from app.kit.core.data_keys import UnreadableError, decrypt, encrypt
from app.kit.db.database import PLAIN, insert_unless_taken, lock_unchanged
from app.models import AuditEvent, AuthenticatorApp, Flow, RecoveryCode, UserSession, Way
from app.models.flow import digest
from app.sessions import current_session

WHAT = "The authenticator app"
# Crockford's base32, which has no letters that look like a digit. 24 of them are 120 bits.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
GROUPS, GROUP = 6, 4


@dataclass(frozen=True)
class NewSecret:
    """What the current user is setting up in this browser. Until it is done, it is in a flow, encrypted."""

    flow: Flow
    secret: bytes
    purpose: ClassVar[str]

    @classmethod
    def begin(cls, secret: bytes) -> None:
        """Keep a secret that was made for the current user. The caller commits."""
        Flow.begin(cls.purpose, current_user, secret=encrypt(secret))

    @classmethod
    def begun(cls) -> Self | None:
        """Return what the current user has begun in this browser, or None."""
        flow = Flow.newest(cls.purpose)
        if flow is None or flow.user_id != current_user.id:
            return None
        try:
            return cls(flow, decrypt(flow.data.get("secret", "")))
        except UnreadableError:  # the key was taken away meanwhile
            return None


class NewApp(NewSecret):
    """An authenticator app that has not shown its first code yet."""

    purpose = "new_app"

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

    def finish(self, typed: str) -> str | None:
        """Add the app if it has shown the code that was typed, else return what is wrong. The caller commits."""
        code = totp.typed_code(typed)
        step = totp.accepted_step(self.secret, code) if code else None
        if step is None:
            if code and totp.is_of_wrong_clock(self.secret, code):
                return second_factors.WRONG_CLOCK
            return "This code is wrong. Enter the one that the app shows."
        user = current_session().user
        lock_unchanged(db.session, user)
        values = {"user_id": user.id, "encrypted_secret": self.flow.data["secret"], "last_step": step}
        if insert_unless_taken(db.session(), AuthenticatorApp, **values):
            second_factors.added(user, current_session(), Way.APP, WHAT)
        self.flow.take()
        return None


def remove_app() -> bool:
    """Remove the app of the current user; return False without one. The caller commits."""
    user = current_session().user
    lock_unchanged(db.session, user)
    removing = delete(AuthenticatorApp).where(AuthenticatorApp.user_id == user.id).returning(AuthenticatorApp.id)
    if db.session.scalar(removing, execution_options=PLAIN) is None:
        return False
    second_factors.removed(user, WHAT)
    return True


class NewCodes(NewSecret):
    """Recovery codes that their owner has not saved yet; none of them works."""

    purpose = "new_recovery_codes"

    @property
    def codes(self) -> list[str]:
        """The codes as they are shown."""
        return self.secret.decode().split()

    @property
    def name(self) -> str:
        """A name of these codes, by which the page that shows them says that they are saved."""
        return self.flow.token_hash[:16]

    @property
    def made_at(self) -> datetime:
        """When they were made."""
        lifetime: timedelta = current_app.config["FLOW_LIFETIMES"][self.purpose]
        return self.flow.expires_at - lifetime

    def save(self) -> bool:
        """Let these codes replace the former ones. Return False if another request did so. The caller commits.

        From now on logins ask for a second factor. Whoever logged in without one is logged out.
        """
        own = current_session()
        user = own.user
        lock_unchanged(db.session, user)
        was_on = bool(second_factors.second_factors(user))
        if not second_factors.has_factor(user) or not self.flow.take():
            return False
        db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id), execution_options=PLAIN)
        hashes = [digest(code.replace("-", "")) for code in self.codes]
        db.session.add_all(RecoveryCode(user_id=user.id, code_hash=code_hash) for code_hash in hashes)
        if was_on:
            AuditEvent.record("recovery_codes.made", subject=user)
            second_factors.tell(user, "New recovery codes were made. The old ones are void.")
        else:
            UserSession.end_all(user, except_id=own.id)
            own.has_two_factors = True
            AuditEvent.record("second_factor.turned_on", subject=user)
            second_factors.tell(user, "From now on, logging in takes a second factor.")
        return True


def new_codes() -> bytes:
    """Return as many new recovery codes as a user gets, separated by blanks."""
    return " ".join(_new_code() for _ in range(current_app.config["RECOVERY_CODES"])).encode()


def _new_code() -> str:
    return "-".join("".join(choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
