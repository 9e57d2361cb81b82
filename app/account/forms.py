"""What people type about their own account."""

from flask_login import current_user
from wtforms import BooleanField, SubmitField

from app.kit.forms.fields import (
    email_field,
    known_password_field,
    name_field,
    new_password_field,
    repeated_password_field,
    typed_person,
)
from app.kit.forms.form import Form
from app.models import User
from app.models.user import NAME_MAX_LENGTH


def _owner(form: "_FormAboutOwner") -> list[str | None]:
    return [form.owner.first_name, form.owner.last_name, form.owner.email]


def _current_user(_form: Form) -> list[str | None]:
    return [current_user.first_name, current_user.last_name, current_user.email]


class LoginForm(Form):
    """Signing in."""

    email = email_field(autocomplete="username")
    password = known_password_field()
    remember_me = BooleanField("Keep me logged in")
    submit = SubmitField("Log in")


class RegistrationForm(Form):
    """Joining."""

    first_name = name_field("First name", "given-name", NAME_MAX_LENGTH)
    last_name = name_field("Last name", "family-name", NAME_MAX_LENGTH)
    email = email_field()
    password = new_password_field("Password", typed_person)
    password2 = repeated_password_field("Confirm password", "password")
    submit = SubmitField("Register")


class RequestResetPasswordForm(Form):
    """Asking for a link that sets a new password."""

    email = email_field()
    submit = SubmitField("Reset password")


class _FormAboutOwner(Form):
    """Whoever opens a mailed link is not logged in; the link says whose password it is."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        super().__init__()


class ResetPasswordForm(_FormAboutOwner):
    """Choosing a new password with a mailed link."""

    new_password = new_password_field("New password", _owner)
    new_password2 = repeated_password_field("Confirm new password", "new_password")
    submit = SubmitField("Set password")


class CreatePasswordForm(_FormAboutOwner):
    """Choosing the first password after an invitation."""

    password = new_password_field("Password", _owner)
    password2 = repeated_password_field("Confirm password", "password")
    submit = SubmitField("Join")


class ChangePasswordForm(Form):
    """Choosing a new password while logged in."""

    old_password = known_password_field("Old password")
    new_password = new_password_field("New password", _current_user)
    new_password2 = repeated_password_field("Confirm new password", "new_password")
    submit = SubmitField("Change password")


class ChangeEmailForm(Form):
    """Moving the account to another address."""

    email = email_field("New email")
    password = known_password_field()
    submit = SubmitField("Change email")


class ConfirmPasswordForm(Form):
    """Giving the password again before something that matters."""

    password = known_password_field()
    submit = SubmitField("Continue")


class DeleteAccountForm(Form):
    """The last question before an account is gone."""

    password = known_password_field()
    submit = SubmitField("Delete my account", render_kw={"class": "button--danger"})


class ButtonForm(Form):
    """A single button: pages behind a mailed link change something only when it is pressed."""

    submit = SubmitField("Continue")
