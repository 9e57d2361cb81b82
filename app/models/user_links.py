"""What a user's mailed links do, and the state that makes each work once."""

from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.kit import tokens
from app.kit.database import lock_row

if TYPE_CHECKING:
    from app.models.user import User

HOUR = 3600
WEEK = 7 * 24 * HOUR


class UserLinks:
    """The part of ``User`` that makes tokens and redeems them.

    Each token carries a fingerprint of the attributes in ``STATE``; redeeming it changes one of
    them, so the second use, an older link, and a link made before a change of address all fail.
    """

    STATE: ClassVar[dict[str, tuple[str, ...]]] = {
        "confirm": ("email", "confirmed", "password_hash"),
        "change_email": ("email", "password_hash"),
        "reset_password": ("email", "password_hash"),
        "invite": ("email", "password_hash"),
        "not_me": ("email", "password_hash"),
        "not_me_earlier_email": ("email",),
    }

    def generate_confirmation_token(self, expiration: int = WEEK) -> str:
        """Answer a token that confirms the account within ``expiration`` seconds."""
        return self._token("confirm", expiration)

    def generate_email_change_token(self, new_email: str, expiration: int = HOUR) -> str:
        """Answer a token that changes the address to ``new_email`` within ``expiration`` seconds."""
        return self._token("change_email", expiration, new_email=new_email)

    def generate_password_reset_token(self, expiration: int = HOUR) -> str:
        """Answer a token that sets a new password within ``expiration`` seconds."""
        return self._token("reset_password", expiration)

    def generate_invitation_token(self, expiration: int = WEEK) -> str:
        """Answer a token with which an invited user sets the first password within ``expiration`` seconds."""
        return self._token("invite", expiration)

    @classmethod
    def with_token(cls, purpose: str, token: str) -> "User | None":
        """Answer the user whom a still valid token of this purpose was made for."""
        claims = tokens.read(purpose, token)
        if claims is None:
            return None
        user = cls.with_uid(claims.uid)  # type: ignore[attr-defined]
        return user if user and tokens.matches(claims, user._state(purpose)) else None

    def generate_not_me_token(self, recipient: str, expiration: int = WEEK) -> str:
        """Answer a token for a notice to ``recipient``, who may take the account back with it.

        A thief who changed the address may change the password as well: the link in the notice to
        the earlier address outlives that.
        """
        purpose = "not_me" if recipient == self.email else "not_me_earlier_email"  # type: ignore[attr-defined]
        return self._token(purpose, expiration, recipient=recipient)

    def redeem_confirmation(self, token: str) -> bool:
        """Confirm the account; answers False for a token that is not (or no longer) good. The caller commits."""
        if self._redeem("confirm", token) is None:
            return False
        self.confirmed = True
        return True

    def redeem_email_change(self, token: str) -> bool:
        """Change the address to the token's; False when the token is dead or the address taken. The caller commits."""
        data = self._redeem("change_email", token)
        return data is not None and self._move_to(data["new_email"])

    def redeem_password_reset(self, token: str, new_password: str) -> bool:
        """Set a new password; answers False for a token that is not (or no longer) good. The caller commits.

        Whoever opened the link reads the address's mail, which is all that confirming asks for.
        """
        if self._redeem("reset_password", token) is None:
            return False
        self.password, self.confirmed = new_password, True
        return True

    def redeem_invitation(self, token: str, password: str) -> bool:
        """Set the first password, which also confirms the account; False for a dead token. The caller commits."""
        if self._redeem("invite", token) is None:
            return False
        self.password, self.confirmed = password, True
        return True

    def redeem_not_me(self, token: str) -> bool:
        """Lock out whoever knows the password, and undo a change of address; the caller commits.

        The old password is replaced by one that nobody knows, which also kills every link under
        way. False for a dead token, or when somebody else has the earlier address by now.
        """
        data = self._redeem("not_me", token) or self._redeem("not_me_earlier_email", token)
        if data is None or not self._move_to(data["recipient"]):
            return False
        self.password = token_urlsafe()
        return True

    def confirm_account(self, token: str) -> bool:
        """Do what :meth:`redeem_confirmation` does, and commit."""
        return _committed(self.redeem_confirmation(token))

    def change_email(self, token: str) -> bool:
        """Do what :meth:`redeem_email_change` does, and commit."""
        return _committed(self.redeem_email_change(token))

    def reset_password(self, token: str, new_password: str) -> bool:
        """Do what :meth:`redeem_password_reset` does, and commit."""
        return _committed(self.redeem_password_reset(token, new_password))

    def _move_to(self, email: str) -> bool:
        self.email = email
        try:
            db.session.flush()
        except IntegrityError:
            db.session.rollback()
            return False
        return True

    def _token(self, purpose: str, max_age_seconds: int, **data: object) -> str:
        return tokens.sign(purpose, self.uid, self._state(purpose), max_age_seconds, **data)  # type: ignore[attr-defined]

    def _redeem(self, purpose: str, token: str) -> dict[str, Any] | None:
        """Answer the token's data when it is good for this user now, holding the row so that only one use wins."""
        claims = tokens.read(purpose, token)
        if claims is None or claims.uid != self.uid:  # type: ignore[attr-defined]
            return None
        lock_row(db.session, self)  # type: ignore[arg-type]
        if tokens.matches(claims, self._state(purpose)):
            return claims.data
        db.session.rollback()
        return None

    def _state(self, purpose: str) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.STATE[purpose])


def _committed(redeemed: bool) -> bool:
    if redeemed:
        db.session.commit()
    return redeemed
