"""The tokens in a user's mailed links, each of which works once. config.py says how long."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from flask import current_app
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from app.extensions import db
from app.kit.auth import tokens
from app.kit.auth.passwords import hash_password
from app.kit.db.database import lock_row, utc_now
from app.models.user_identity import UserIdentity


class UserLinks(UserIdentity):
    """The part of ``User`` that creates and redeems tokens.

    Each token carries a fingerprint of the attributes in ``STATE``. Redeeming it changes one of them, so a
    second use, an older link, and a link from before a change of address all fail.
    """

    __abstract__ = True

    STATE: ClassVar[dict[str, tuple[str, ...]]] = {
        "confirm": ("email", "confirmed", "password_mark"),
        # The number too: who moves away and back has the same address, and a used link would work again.
        "change_email": ("email", "password_mark", "access_version"),
        "reset_password": ("email", "password_mark"),
        "invite": ("email", "has_joined"),
    }
    LIFETIME: ClassVar[dict[str, str]] = {
        "confirm": "CONFIRM_LINK_LIFETIME",
        "change_email": "CHANGE_EMAIL_LINK_LIFETIME",
        "reset_password": "RESET_LINK_LIFETIME",
        "invite": "INVITE_LINK_LIFETIME",
    }

    @property
    def has_joined(self) -> bool | None:
        """None until an invitation is accepted. It is not the password: that may be gone again.

        None and not False, because the links that earlier releases mailed carry the absent password.
        """
        return None if self.is_invited else True

    def generate_confirmation_token(self, expiration: int | None = None) -> str:
        """Return a token that confirms the account for ``expiration`` seconds, by default CONFIRM_LINK_LIFETIME."""
        return self._token("confirm", expiration)

    def generate_email_change_token(self, new_email: str, expiration: int | None = None) -> str:
        """Return a token that changes the address to ``new_email``; ``expiration`` is in seconds."""
        return self._token("change_email", expiration, new_email=new_email)

    def generate_password_reset_token(self, expiration: int | None = None) -> str:
        """Return a token that sets a new password for ``expiration`` seconds, by default RESET_LINK_LIFETIME."""
        return self._token("reset_password", expiration)

    def generate_invitation_token(self, expiration: int | None = None) -> str:
        """Return a token with which an invited user sets the first password; ``expiration`` is in seconds."""
        return self._token("invite", expiration)

    @classmethod
    def with_token(cls, purpose: str, token: str) -> Self | None:
        """Return the user of a valid token of this purpose, or None."""
        claims = tokens.read(purpose, token)
        if claims is None:
            return None
        user = cls.with_uid(claims.uid)
        return user if user and tokens.matches(claims, user._state(purpose)) else None

    def redeem_confirmation(self, token: str) -> bool:
        """Confirm the account. Return False if the token is not valid. The caller commits."""
        if self._redeem("confirm", token) is None:
            return False
        self.confirmed = True
        return True

    def redeem_email_change(self, token: str) -> bool:
        """Change the address to that of the token. Return False if the token is not valid or the address is taken.

        The caller commits.
        """
        data = self._redeem("change_email", token)
        return data is not None and self._move_to(data["new_email"])

    def redeem_password_reset(self, token: str, new_password: str) -> bool:
        """Set a new password and confirm the account. Return False if the token is not valid. The caller commits.

        The link proves that its user reads the mail of the address, just as a confirmation link does.
        """
        return self._redeem_for_password("reset_password", token, new_password)

    def redeem_invitation(self, token: str, password: str) -> bool:
        """Set the first password and confirm the account; return False for an invalid token. The caller commits."""
        if not self.is_invited or not self._redeem_for_password("invite", token, password):
            return False
        self.created_at = utc_now()  # shown as the time of joining
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

    def _redeem_for_password(self, purpose: str, token: str, password: str) -> bool:
        password_hash = hash_password(password)  # before the lock, because hashing is slow
        if self._redeem(purpose, token) is None:
            return False
        self.password_hash, self.confirmed, self.is_invited = password_hash, True, False
        return True

    def _move_to(self, email: str) -> bool:
        """Change the address, which the user has proven to own. Return False if a confirmed account has it."""
        self._displace_unproven_account(email)
        self.email = email
        try:
            db.session.flush()
        except IntegrityError:
            db.session.rollback()
            return False
        return True

    def _displace_unproven_account(self, email: str) -> None:
        """Delete an unconfirmed sign-up with this address: it must not block the owner of the address."""
        holder = self.with_email(email)
        if holder is None or holder is self or holder.is_invited:
            return
        lock_row(db.session, holder)
        if not holder.confirmed:
            db.session.delete(holder)
            db.session.flush()

    def _token(self, purpose: str, expiration: int | None, **data: object) -> str:
        usual = current_app.config[self.LIFETIME[purpose]]
        lifetime = usual if expiration is None else timedelta(seconds=expiration)
        return tokens.sign(purpose, self.uid, self._state(purpose), lifetime, **data)

    def _redeem(self, purpose: str, token: str) -> dict[str, Any] | None:
        """Lock the row, so that a token works only once, and return the token's data, or None if it is not valid."""
        claims = self._locked_for(purpose, token)
        if claims is not None and tokens.matches(claims, self._state(purpose)):
            return claims.data
        db.session.rollback()
        return None

    def _locked_for(self, purpose: str, token: str) -> tokens.Claims | None:
        """Lock the row and return the claims of the token, or None if it is not this user's or the user is deleted."""
        claims = tokens.read(purpose, token)
        if claims is None or claims.uid != self.uid:
            return None
        try:
            lock_row(db.session, self)
        except StaleDataError:
            return None
        return claims

    def _state(self, purpose: str) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.STATE[purpose])


def _committed(redeemed: bool) -> bool:
    if redeemed:
        db.session.commit()
    return redeemed
