"""The forms for mailed codes."""

from wtforms import BooleanField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from app.kit.forms.fields import email_field
from app.kit.forms.form import Form


class RequestCodeForm(Form):
    """Request a code to log in."""

    email = email_field(autocomplete="username")
    remember_me = BooleanField("Keep me logged in")
    submit = SubmitField("Email me a code")


class MailedCodeForm(Form):
    """Give a code that was mailed."""

    code = StringField(
        "Code",
        [InputRequired("Enter the code."), Length(max=64, message="This is too long for a code.")],
        description="Eight characters, such as 3F7K-9QXM.",
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"},
    )
    submit = SubmitField("Continue")
