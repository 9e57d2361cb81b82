"""The living style guide."""

from flask import render_template
from wtforms import (
    BooleanField,
    EmailField,
    FileField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
)

from app.dev import dev
from app.kit.forms import Form

COLORS = [
    "ground",
    "surface",
    "surface-sunken",
    "text",
    "text-muted",
    "edge",
    "control-edge",
    "focus",
    "accent",
    "accent-strong",
    "accent-tint",
    "danger",
    "danger-tint",
    "success-text",
    "success-tint",
    "warning-text",
    "warning-tint",
    "info-text",
    "info-tint",
]
CHOICES = [SelectChoice("one", "The first"), SelectChoice("two", "The second")]


class SampleForm(Form):
    """One field of each kind."""

    name = StringField("Name", description="A hint says what to type, before it is typed.")
    email = EmailField("E-mail address")
    password = PasswordField("Password")
    choice = SelectField("Choice", choices=CHOICES)
    way = RadioField("One of these", choices=CHOICES, default="one")
    text = TextAreaField("Text")
    file = FileField("File")
    agreed = BooleanField("A box to tick")
    submit = SubmitField("Send")


@dev.get("/components")
def components() -> str:
    """Show everything that pages are made of, in every state."""
    return render_template(
        "dev/components.html", form=SampleForm(prefix="sample-"), invalid_form=_invalid_form(), colors=COLORS
    )


def _invalid_form() -> Form:
    form = SampleForm(prefix="invalid-", data={"name": "Ada", "email": "ada@"})
    form.email.errors = ["This is no e-mail address. It looks like name@example.com."]
    form.agreed.errors = ["Tick the box to go on."]
    return form
