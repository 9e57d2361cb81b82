"""How users confirm who they are before a sensitive action: with the password, or what they have instead."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import current_app, flash
from flask_login import current_user
from werkzeug.wrappers import Response

from app.extensions import db
from app.kit.auth.sudo import sudo_required
from app.kit.db.database import lock_unchanged, utc_now
from app.kit.forms.form import Form
from app.models import Passkey, User, Way, second_factors
from app.sessions import current_session, verify_own_password

P = ParamSpec("P")
R = TypeVar("R")


def way_to_confirm(user: User) -> Way | None:
    """Return what confirms that the current session is still used by ``user``: the password, a passkey, a mailed code.

    None is everything anew: the account has a second factor, which this session has not seen.

    The password alone is enough in a session that began with two factors: whoever found the browser open, or stole
    its cookie, lacks the password. A mailed code is the last resort, since who sits at the browser often reads the
    mail, too.
    """
    if second_factors(user) and not current_session().has_two_factors:
        return None
    if user.password_hash is not None:
        return Way.PASSWORD
    has_passkey = current_app.config["PASSKEYS"] and Passkey.of(user)
    return Way.PASSKEY if has_passkey else Way.MAILED_CODE


def confirmed_by_owner(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Let users without a password confirm who they are before ``view``, whose form asks the others for theirs."""
    guarded = sudo_required(view)

    @wraps(view)
    def confirmed(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        return view(*args, **kwargs) if current_user.password_hash else guarded(*args, **kwargs)

    return confirmed


class OwnersForm(Form):
    """A form below ``confirmed_by_owner``: valid with the user's password, for which it asks users who have one.

    Once it is valid, the user's row is locked. Raises KeyError for a form without ``password_field``, which would ask
    nobody.
    """

    password_field = "password"  # noqa: S105
    wrong = "Wrong password."

    def __init__(self) -> None:
        super().__init__()
        known = self[self.password_field]
        if current_user.is_authenticated and current_user.password_hash is None:
            del self[known.name]

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Validate the fields, and then the password."""
        if not super().validate(extra_validators):
            return False
        if self.password_field not in self:
            lock_unchanged(db.session, current_session().user)
        elif not verify_own_password(self[self.password_field].data):
            flash(self.wrong, "form-error")
            return False
        return True


def note_confirmation() -> None:
    """Ask nothing more for SUDO_LIFETIME. The caller commits."""
    current_session().reauthenticated_at = utc_now()
