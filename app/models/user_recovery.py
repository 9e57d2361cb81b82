"""Recovery of an account with the link "This was not me" of a notice.

Each address has a key: the current one's is a column of the user, a former one's is in ``former_addresses``. A
link works as long as its address still has the key from when the link was created, whatever else changed. Using
it gives the address a new key and deletes all later addresses. See docs/security.md, "When two former addresses
disagree".
"""

from typing import Self

from flask import current_app

from app.extensions import db
from app.kit.auth import tokens
from app.kit.auth.tokens import Claims
from app.models.former_address import FormerAddress, new_address_key
from app.models.user_links import UserLinks


class UserRecovery(UserLinks):
    """The part of ``User`` that lets current and former addresses restore the account."""

    __abstract__ = True

    def addresses_to_tell(self) -> list[str]:
        """Return the addresses to notify of a change: the current one and those of the last 30 days."""
        return [self.email, *(former.email for former in FormerAddress.of(self.id))]

    def generate_not_me_token(self, recipient: str) -> str | None:
        """Return a token with which ``recipient`` can restore the account, for a notice.

        Returns None for an address without that right: it never belonged to the account, was given up more than
        30 days ago, or an older address restored the account since.
        """
        if recipient.lower() == self.email.lower():
            return tokens.sign("not_me", self.uid, (self.address_key,), current_app.config["NOT_ME_LINK_LIFETIME"])
        for former in FormerAddress.of(self.id):
            if former.email.lower() == recipient.lower():
                return tokens.sign("not_me", self.uid, (former.address_key,), former.time_left)
        return None

    @classmethod
    def with_not_me_token(cls, token: str) -> Self | None:
        """Return the user whose account the recipient of ``token`` may restore, or None."""
        claims = tokens.read("not_me", token)
        user = cls.with_uid(claims.uid) if claims else None
        return user if user and claims and user._address_of(claims) else None

    def redeem_not_me(self, token: str) -> bool:
        """Restore the address that the token was mailed to. The caller commits.

        The password is removed, which also invalidates every mailed link. Returns False if the token is not valid, or
        another account has the address by now.
        """
        claims = self._locked_for("not_me", token)
        email = self._address_of(claims) if claims else None
        if email is None or not self._move_to(email):
            db.session.rollback()
            return False
        FormerAddress.forget_since(self.id, email)
        self.address_key = new_address_key()
        self.password_hash = None
        return True

    def _address_of(self, claims: Claims) -> str | None:
        """Return the address whose key the token carries, or None."""
        keys = [(self.address_key, self.email), *((row.address_key, row.email) for row in FormerAddress.of(self.id))]
        return next((email for key, email in keys if tokens.matches(claims, (key,))), None)
