"""The forms about passkeys and codes: those of apps, recovery codes and mailed ones."""

from wtforms import BooleanField, HiddenField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from app.kit.forms.fields import email_field, name_field
from app.kit.forms.form import Form
from app.models.passkey import NAME_MAX_LENGTH


def code_field(label: str, description: str = "", **attributes: str) -> StringField:
    """Return a field for a code; ``attributes`` are those of its input."""
    validators = [InputRequired("Enter a code."), Length(max=64, message="This is too long for a code.")]
    render_kw = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false", **attributes}
    return StringField(label, validators, description=description, render_kw=render_kw)


class SecondFactorForm(Form):
    """Give a code as the second factor."""

    code = code_field("Code from your app, or a recovery code")
    submit = SubmitField("Continue")


class PasskeyForm(Form):
    """Name a passkey. A new one comes in a hidden field, which the browser fills in."""

    name = name_field("Name", "off", NAME_MAX_LENGTH, description="To tell it from your other passkeys.")
    submit = SubmitField("Save name")


class FirstCodeForm(Form):
    """Show that an authenticator app is set up."""

    code = code_field("Code that the app shows", inputmode="numeric")
    submit = SubmitField("Continue")


class SavedCodesForm(Form):
    """Say that the recovery codes are kept somewhere: those that were ``shown``, not newer ones of another tab."""

    shown = HiddenField()
    saved = SubmitField("I have saved them")


class RequestCodeForm(Form):
    """Request a code to log in."""

    email = email_field(autocomplete="username")
    remember_me = BooleanField("Keep me logged in")
    submit = SubmitField("Email me a code")


class MailedCodeForm(Form):
    """Give a code that was mailed."""

    code = code_field("Code", "As in the email, such as 3F7K-9QXM.", autocapitalize="characters")
    submit = SubmitField("Continue")
