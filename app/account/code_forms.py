"""The forms for mailed codes."""

from wtforms import BooleanField, SubmitField

from app.account.factor_forms import code_field
from app.kit.forms.fields import email_field
from app.kit.forms.form import Form


class RequestCodeForm(Form):
    """Request a code to log in."""

    email = email_field(autocomplete="username")
    remember_me = BooleanField("Keep me logged in")
    submit = SubmitField("Email me a code")


class MailedCodeForm(Form):
    """Give a code that was mailed."""

    code = code_field("Code", "Eight characters, such as 3F7K-9QXM.", autocapitalize="characters")
    submit = SubmitField("Continue")
