"""The forms of the account area."""

from collections.abc import Sequence
from functools import cache

from flask_login import current_user
from wtforms import BooleanField, HiddenField, SelectChoice, SelectField, SubmitField, TextAreaField
from wtforms.fields.choices import Choice
from wtforms.widgets import Select

from app.account.confirmation import OwnersForm
from app.consent import AsksForConsent
from app.kit.forms.fields import (
    CheckboxesField,
    at_most,
    email_field,
    known_password_field,
    name_field,
    new_password_field,
    repeated_password_field,
    typed_person,
)
from app.kit.forms.form import Form
from app.kit.pages.moments import exact_time, zone_names
from app.models import User
from app.models.consent import Document, documents_due
from app.models.recently_added import Added
from app.models.user_profile import ABOUT_MAX_LENGTH, NAME_MAX_LENGTH
from app.proof_of_work import AsksForProof


def _owner(form: Form) -> list[str | None]:
    """Return the personal texts of the user whose password it is: the owner of a mailed link, or who is logged in."""
    user = getattr(form, "owner", current_user)
    return [user.first_name, user.last_name, user.email]


class LoginForm(Form):
    """Log in."""

    email = email_field(autocomplete="username webauthn")
    password = known_password_field()
    remember_me = BooleanField("Keep me logged in")
    submit = SubmitField("Log in")


class SignUpForm(AsksForConsent):
    """What everybody tells who signs up."""

    first_name = name_field("First name", "given-name", NAME_MAX_LENGTH)
    last_name = name_field("Last name", "family-name", NAME_MAX_LENGTH)
    email = email_field()


class RegistrationForm(SignUpForm, AsksForProof):
    """Sign up with a password."""

    password = new_password_field("Password", typed_person)
    password2 = repeated_password_field("Confirm password", "password")
    consent = BooleanField()
    proof = HiddenField()
    submit = SubmitField("Register")


class ProviderSignUpForm(SignUpForm):
    """Sign up with a provider: what it did not tell. The view removes ``email`` if the provider has verified it."""

    consent = BooleanField()
    submit = SubmitField("Register")


@cache
def _time_zones() -> list[SelectChoice]:
    """Return the places by continent, so that the browser's own search finds "Berlin"."""
    places = [(name, *name.partition("/")) for name in zone_names()]
    return [SelectChoice("", "UTC, until you choose")] + [
        SelectChoice(name, (place or region).replace("_", " ").replace("/", ", "), optgroup=region)
        for name, region, _slash, place in places
    ]


class _ZoneSelect(Select):
    @classmethod
    def render_option(cls, choice: Choice) -> str:
        """Return an option. WTForms takes 7 ms to format the attributes of all of them; the names need no escaping."""
        return f'<option value="{choice.value}"{" selected" if choice.selected else ""}>{choice.label}</option>'


class ProfileForm(Form):
    """What users call themselves, and where they are."""

    first_name = name_field("First name", "given-name", NAME_MAX_LENGTH)
    last_name = name_field("Last name", "family-name", NAME_MAX_LENGTH)
    nickname = name_field(
        "Name that others see",
        "nickname",
        NAME_MAX_LENGTH,
        required=False,
        description="Optional: without one, others see your full name.",
    )
    time_zone = SelectField(
        "Time zone", choices=_time_zones, widget=_ZoneSelect(), description="Pages and emails show times in this zone."
    )
    about = TextAreaField(
        "About you",
        [at_most(ABOUT_MAX_LENGTH)],
        # Browsers send two characters for a line break, but count one.
        filters=[lambda text: (text or "").replace("\r\n", "\n").strip()],
        description=f"Optional: a few words, at most {ABOUT_MAX_LENGTH} characters.",
        render_kw={"rows": 4},
    )
    submit = SubmitField("Save profile")


class RequestResetPasswordForm(AsksForProof):
    """Request a link that sets a new password."""

    email = email_field()
    proof = HiddenField()
    submit = SubmitField("Reset password")


class _FormAboutOwner(Form):
    """A form behind a mailed link. The visitor is not logged in, so the view passes the owner of the link."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        super().__init__()


def _removal_field() -> CheckboxesField:
    return CheckboxesField(
        "Remove what you did not add yourself",
        description="These ways to log in are new. Whoever added them can use them.",
    )


class _OffersRemoval(_FormAboutOwner):
    """A form with ``remove = _removal_field()`` for what was added lately; without the field if nothing was."""

    remove: CheckboxesField

    def __init__(self, owner: User, added: Sequence[Added] = ()) -> None:
        super().__init__(owner)
        self.remove.choices = [
            SelectChoice(row.key, row.label, {"description": f"Added {exact_time(row.created_at, owner.zone)}"})
            for row in added
        ]
        if not added:
            del self.remove


class ResetPasswordForm(_OffersRemoval):
    """Set a new password with a mailed link, and remove what was added lately."""

    new_password = new_password_field("New password", _owner)
    new_password2 = repeated_password_field("Confirm new password", "new_password")
    remove = _removal_field()
    submit = SubmitField("Set password")


class NotMeForm(_OffersRemoval):
    """Lock an intruder out, and remove what was added lately."""

    remove = _removal_field()
    submit = SubmitField("Continue")


class CreatePasswordForm(_FormAboutOwner, AsksForConsent):
    """Set the first password after an invitation."""

    password = new_password_field("Password", _owner)
    password2 = repeated_password_field("Confirm password", "password")
    consent = BooleanField()
    submit = SubmitField("Join")


class AgreeForm(AsksForConsent):
    """Agree to what has changed."""

    consent = BooleanField()
    submit = SubmitField("Agree and continue")

    def asked_documents(self) -> list[Document]:
        """Return the documents that ask the current user."""
        return documents_due(current_user)


class ChangePasswordForm(OwnersForm):
    """Set a new password while logged in, or a first one."""

    password_field = "old_password"  # noqa: S105
    wrong = "The old password is wrong."
    old_password = known_password_field("Old password")
    new_password = new_password_field("New password", _owner)
    new_password2 = repeated_password_field("Confirm new password", "new_password")
    submit = SubmitField("Set password")


class ChangeEmailForm(OwnersForm):
    """Change the email address of the account."""

    email = email_field("New email")
    password = known_password_field()
    submit = SubmitField("Change email")


class ConfirmPasswordForm(OwnersForm):
    """Enter the password again before a sensitive action."""

    password = known_password_field()
    submit = SubmitField("Continue")


class DeleteAccountForm(OwnersForm):
    """Delete one's own account."""

    password = known_password_field()
    submit = SubmitField("Delete my account", render_kw={"class": "button--danger"})


class ButtonForm(Form):
    """A single button. Mail scanners open links, so a page behind one changes nothing until the button is pressed."""

    submit = SubmitField("Continue")
