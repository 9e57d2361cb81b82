"""Taking an account back: what the link "This was not me" of a notice does, and for whom it works.

Each address has a key: the present one's stands with the user, a former one's in ``former_addresses``. A link
works as long as its address has the key that it had when the link was made, whatever else was changed since.
Using it gives the address a new key, and deletes the addresses that came after it. See docs/security.md,
"When two former addresses disagree".
"""

from secrets import token_urlsafe
from typing import Self

from app.extensions import db
from app.kit.auth import tokens
from app.kit.auth.passwords import hash_password
from app.kit.auth.tokens import Claims
from app.models.former_address import FormerAddress, new_address_key
from app.models.user_links import UserLinks, seconds


class UserRecovery(UserLinks):
    """The part of ``User`` that its present and former addresses can take back."""

    __abstract__ = True

    def addresses_to_tell(self) -> list[str]:
        """Return who hears of a change of address: the present one and those of the last 30 days."""
        return [self.email, *(former.email for former in FormerAddress.of(self.id))]

    def generate_not_me_token(self, recipient: str) -> str | None:
        """Return a token for a notice to ``recipient``, who may take the account back with it.

        None for an address that has no right to: it never was the account's, is so no longer for
        30 days, or an older one took the account back from it.
        """
        if recipient.lower() == self.email.lower():
            return tokens.sign("not_me", self.uid, (self.address_key,), seconds("NOT_ME_LINK_LIFETIME"))
        for former in FormerAddress.of(self.id):
            if former.email.lower() == recipient.lower():
                return tokens.sign("not_me", self.uid, (former.address_key,), former.seconds_left)
        return None

    @classmethod
    def with_not_me_token(cls, token: str) -> Self | None:
        """Return the user whom the address that ``token`` was mailed to may take back."""
        claims = tokens.read("not_me", token)
        user = cls.with_uid(claims.uid) if claims else None
        return user if user and claims and user._address_of(claims) else None

    def redeem_not_me(self, token: str) -> bool:
        """Give the account back to the address that the token was mailed to; the caller commits.

        The old password is replaced by one that nobody knows, which also kills every link under
        way. False for a dead token, or when somebody else has the address by now.
        """
        nobodys_hash = hash_password(token_urlsafe())
        claims = self._locked_for("not_me", token)
        email = self._address_of(claims) if claims else None
        if email is None or not self._move_to(email):
            db.session.rollback()
            return False
        FormerAddress.forget_since(self.id, email)
        self.address_key = new_address_key()
        self.password_hash = nobodys_hash
        return True

    def _address_of(self, claims: Claims) -> str | None:
        """Return the address whose key the token carries, if it still has that key."""
        keys = [(self.address_key, self.email), *((row.address_key, row.email) for row in FormerAddress.of(self.id))]
        return next((email for key, email in keys if tokens.matches(claims, (key,))), None)
