"""The forms about passkeys, authenticator apps and recovery codes."""

from flask import current_app
from wtforms import BooleanField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from app.account.recovery import has_recent_factors
from app.kit.forms.fields import name_field
from app.kit.forms.form import Form
from app.models import User
from app.models.passkey import NAME_MAX_LENGTH


def _code_field(label: str, **attributes: str) -> StringField:
    validators = [InputRequired("Enter a code."), Length(max=64, message="This is too long for a code.")]
    render_kw = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false", **attributes}
    return StringField(label, validators, render_kw=render_kw)


class SecondFactorForm(Form):
    """Give a code as the second factor."""

    code = _code_field("Code from your app, or a recovery code")
    submit = SubmitField("Continue")


class PasskeyForm(Form):
    """Name a passkey. A new one comes in a hidden field, which the browser fills in."""

    name = name_field("Name", "off", NAME_MAX_LENGTH, description="To tell it from your other passkeys.")
    submit = SubmitField("Save name")


class FirstCodeForm(Form):
    """Show that an authenticator app is set up."""

    code = _code_field("Code that the app shows", inputmode="numeric")
    submit = SubmitField("Continue")


class SavedCodesForm(Form):
    """Say that the recovery codes are kept somewhere."""

    saved = SubmitField("I have saved them")


class NotMeForm(Form):
    """Take an account back, and remove what somebody else may have added."""

    remove_recent = BooleanField(default=True)
    submit = SubmitField("Continue")

    def __init__(self, user: User | None) -> None:
        super().__init__()
        if user is None or not has_recent_factors(user):
            del self.remove_recent
        else:
            days = current_app.config["RECENT_FACTOR_AGE"].days
            what = "passkeys, authenticator apps and links to other accounts"
            self.remove_recent.label.text = f"Also remove the {what} that were added in the last {days} days"
