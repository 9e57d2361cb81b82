"""The forms of the admin area."""

import re

from flask import current_app
from flask_login import current_user
from sqlalchemy import select
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, Regexp

from app.extensions import db
from app.kit.forms.fields import (
    at_most,
    email_field,
    name_field,
    new_password_field,
    repeated_password_field,
    typed_person,
)
from app.kit.forms.form import Form
from app.kit.pages import markdown
from app.models import EditableHTML, Role, User
from app.models.editable_html import TITLE_MAX_LENGTH
from app.models.user_profile import NAME_MAX_LENGTH

ADDRESS_IS_TAKEN = "Somebody has this address already."
SLUG_IS_TAKEN = "Another page has this address already."
REASON_MAX_LENGTH = 255
SLUG_MAX_LENGTH = 60
EDITOR_NAME_MAX_LENGTH = 100
ASK_AGAIN = "Ask everybody to agree again"
ASK_AGAIN_HINT = "Before their next change. Not for a corrected typing mistake."
# About forty printed pages. app/kit/pages/markdown.py limits the time to render them.
TEXT_MAX_LENGTH = 100_000
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


def _renderable(_form: Form, field: Field) -> None:
    """Refuse a text that takes too long to render at every visit."""
    if len(field.data) <= TEXT_MAX_LENGTH and markdown.is_too_complex(field.data):
        raise ValidationError(markdown.TOO_COMPLEX)


def one_line(text: str | None) -> str:
    """Return ``text`` without control characters and outer blanks."""
    return CONTROL_CHARACTERS.sub(" ", text or "").strip()


def _unused_slug(_form: Form, field: Field) -> None:
    if EditableHTML.get_editable_html(field.data).id is not None:
        raise ValidationError(SLUG_IS_TAKEN)


def _roles() -> list[SelectChoice]:
    """Offer the roles whose permissions the current user holds: nobody may grant more."""
    roles = db.session.scalars(select(Role).order_by(Role.default.desc(), Role.name))
    return [SelectChoice(role.id, role.name) for role in roles if current_user.role.includes(role)]


def _role_field() -> SelectField:
    return SelectField("Account type", coerce=int, choices=_roles)


class _FormWithRole(Form):
    """A form that offers roles, the default role first."""

    role: SelectField

    @property
    def chosen_role(self) -> Role:
        """The chosen role, of a valid form."""
        return db.session.get_one(Role, self.role.data)


class ChangeAccountTypeForm(_FormWithRole):
    """Change a user's role."""

    role = _role_field()
    submit = SubmitField("Change account type")


class ChangeUserNameForm(Form):
    """Change a user's name."""

    first_name = name_field("First name", "off", NAME_MAX_LENGTH)
    last_name = name_field("Last name", "off", NAME_MAX_LENGTH)
    submit = SubmitField("Change name")


class ChangeUserEmailForm(Form):
    """Change a user's email address."""

    email = email_field("New email", "off")
    submit = SubmitField("Change email")

    def validate_email(self, field: Field) -> None:
        """Refuse a taken address. Administrators can list all users, so this reveals nothing new to them."""
        if User.with_email(field.data):
            raise ValidationError(ADDRESS_IS_TAKEN)


class InviteUserForm(ChangeUserNameForm, ChangeUserEmailForm, _FormWithRole):
    """Invite a user."""

    email = email_field(autocomplete="off")
    role = _role_field()
    submit = SubmitField("Send invitation")


class NewUserForm(InviteUserForm):
    """Add a user who can log in at once."""

    password = new_password_field("Password", typed_person)
    password2 = repeated_password_field("Confirm password", "password")
    submit = SubmitField("Add user")


def _reason_field(*validators: InputRequired) -> StringField:
    return StringField(
        "Reason",
        [*validators, at_most(REASON_MAX_LENGTH)],
        filters=[one_line],
        description="Only administrators see it.",
        render_kw={"autocomplete": "off"},
    )


class ImpersonateForm(Form):
    """Look at the site as a user."""

    reason = _reason_field(InputRequired("Enter a reason."), DataRequired("Enter a reason."))
    submit = SubmitField("Look at the site as this user")


class RemoveFactorsForm(Form):
    """Remove the second factors of a user."""

    reason = _reason_field(InputRequired("Enter a reason."), DataRequired("Enter a reason."))
    submit = SubmitField("Remove second factors", render_kw={"class": "button--danger"})


class DisableUserForm(Form):
    """Disable a user without deleting anything."""

    reason = _reason_field()
    submit = SubmitField("Disable", render_kw={"class": "button--danger"})


class BulkTaskForm(ChangeAccountTypeForm, DisableUserForm):
    """Confirm what is done to many users. ``count`` is how many the page has named."""

    count = HiddenField()
    submit = SubmitField()

    @classmethod
    def of(cls, action: str, label: str, is_dangerous: bool) -> "BulkTaskForm":
        """Return the form with the fields that the action needs."""
        form = cls()
        for field, needed_by in (("role", "role"), ("reason", "disable")):
            if action != needed_by:
                del form[field]
        form.submit.label.text = label
        form.submit.render_kw = {"class": "button--danger"} if is_dangerous else None
        return form

    def details(self) -> dict[str, str | int]:
        """Return what the action needs, as the task and the audit log keep it."""
        if "reason" in self:
            return {"reason": self.reason.data}
        return {"role_id": self.role.data, "role": self.chosen_role.name} if "role" in self else {}


class EditorForm(Form):
    """The text of one editable page."""

    editor_name = HiddenField(filters=[one_line], validators=[InputRequired(), Length(1, EDITOR_NAME_MAX_LENGTH)])
    # What the editor showed at first (EditableHTML.fingerprint), and the page to return to.
    seen = HiddenField()
    page = HiddenField()
    edit_data = TextAreaField(
        "Text in Markdown",
        [at_most(TEXT_MAX_LENGTH), _renderable],
        default="",
        render_kw={"rows": 16},
    )
    asks_again = BooleanField(ASK_AGAIN, description=ASK_AGAIN_HINT)
    submit = SubmitField("Save")

    def __init__(self) -> None:
        super().__init__()
        if self.editor_name.data not in current_app.config["CONSENT_DOCUMENTS"]:
            del self.asks_again


class PageForm(Form):
    """A page: its title, its address, which stays, and who sees it."""

    title = StringField(
        filters=[one_line], validators=[InputRequired("Give the page a title."), Length(max=TITLE_MAX_LENGTH)]
    )
    slug = StringField(
        "Address",
        description="The last part of the URL: small letters, digits and hyphens, such as terms-of-use.",
        filters=[one_line],
        validators=[
            InputRequired("Give the page an address."),
            Length(max=SLUG_MAX_LENGTH),
            Regexp(r"[a-z0-9]+(-[a-z0-9]+)*\Z", message="Use small letters, digits, and single hyphens between them."),
            _unused_slug,
        ],
    )
    published = BooleanField("Published", description="Until then, only administrators see it.")
    listed = BooleanField("Linked from the page “About”")
    submit = SubmitField("Save")

    def fill(self, page: EditableHTML) -> None:
        """Store what was entered in ``page``, except the address."""
        page.title, page.published, page.listed = self.title.data, self.published.data, self.listed.data
