"""Recovery of an account from somebody who changed it without its owner."""

from collections.abc import Sequence

from app import email
from app.kit.auth.user_agent import request_details
from app.models import AuditEvent, LinkedIdentity, User, UserSession


def take_back(user: User, token: str) -> bool:
    """Restore the address that ``token`` was mailed to and end every session. The caller commits.

    Returns False if the token is not valid, or another account has the address by now.
    """
    told_before = user.addresses_to_tell()
    if not user.redeem_not_me(token):
        return False
    UserSession.end_all(user)
    # The intruder may have linked one; the owner logs in with the mailed link, and links anew.
    LinkedIdentity.unlink_all(user)
    email.cancel_waiting(user)
    email.reset_password.send_unlimited(user)
    if user.email != told_before[0]:
        # Those that lost their right to the account get no link.
        tell_all_addresses(user, told_before)
    AuditEvent.record("user.locked_out_intruder", subject=user)
    return True


def tell_all_addresses(user: User, told_before: Sequence[str] = ()) -> None:
    """Notify the present and former addresses that the address has changed, and those that were told before."""
    for recipient in dict.fromkeys([*user.addresses_to_tell(), *told_before]):
        email.email_changed.send(user, recipient=recipient, new_email=user.email, **request_details())
