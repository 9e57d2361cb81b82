"""Fields that are the same in every form: an email address, a name, passwords, a list of check boxes."""

import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from flask import current_app
from wtforms import Field, Form, PasswordField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length, Optional, StopValidation
from wtforms.widgets import CheckboxInput

from app.kit.auth import passwords
from app.kit.auth.breach_check import is_breached
from app.kit.auth.email_address import EMAIL_MAX_LENGTH, normalized_email
from app.kit.forms.link_detection import holds_link

PersonalTexts = Callable[[Any], list[str | None]]


class CheckboxesField(SelectMultipleField):
    """One check box for each choice; ``description`` in the ``render_kw`` of a choice is the hint below it."""

    option_widget = CheckboxInput()

    def __iter__(self) -> Iterator[Any]:
        """Yield the check boxes."""
        for option in super().__iter__():
            option.description = option.choice.render_kw.get("description", "")
            yield option


def at_most(characters: int) -> Length:
    """Return a validator that refuses longer texts; browsers stop at this length, too."""
    return Length(max=characters, message=f"Use at most {characters:,} characters.")


def email_field(label: str = "Email", autocomplete: str = "email") -> StringField:
    """Return a field whose data, once valid, is the normalized address.

    ``autocomplete`` is "username" in a login form, "off" where it is somebody else's address.
    """
    attributes = {"type": "email", "autocomplete": autocomplete, "inputmode": "email", "maxlength": EMAIL_MAX_LENGTH}
    validators = [InputRequired("Enter an email address."), _email_address]
    return StringField(label, validators, filters=[_without_outer_blanks], render_kw=attributes)


def name_field(
    label: str, autocomplete: str, max_length: int, *, required: bool = True, description: str = ""
) -> StringField:
    """Return a field for a part of a person's name."""
    missing = f"Enter a {label.lower()}."
    # Blanks alone are not a name.
    presence = [InputRequired(missing), DataRequired(missing)] if required else [Optional()]
    validators = [*presence, at_most(max_length), _plain_text, _no_link]
    attributes, trimmed = {"autocomplete": autocomplete}, partial(_trimmed, max_length)
    return StringField(label, validators, filters=[trimmed], description=description, render_kw=attributes)


def known_password_field(label: str = "Password") -> PasswordField:
    """Return a field for an existing password, which is checked for its length but not for its strength."""
    validators = [InputRequired("Enter your password."), _hashable_length]
    return PasswordField(label, validators, render_kw={"autocomplete": "current-password"})


def new_password_field(label: str, personal_texts: PersonalTexts) -> PasswordField:
    """Return a field that accepts only strong passwords.

    ``personal_texts`` takes the form and returns what an attacker tries first: the owner's name and address.
    """
    validators = [InputRequired("Choose a password."), _Strong(personal_texts)]
    return PasswordField(label, validators, render_kw={"autocomplete": "new-password"})


def typed_person(form: Form) -> list[str | None]:
    """Return the personal texts of a form that has fields for a name and an address."""
    return [form[name].data for name in ("first_name", "last_name", "email")]


def repeated_password_field(label: str, first: str) -> PasswordField:
    """Return a field that must repeat the field named ``first``."""
    validators = [InputRequired("Enter the password again."), EqualTo(first, "The passwords differ.")]
    return PasswordField(label, validators, render_kw={"autocomplete": "new-password"})


def _email_address(_form: Form, field: Field) -> None:
    address = normalized_email(field.data)
    if address is None:
        raise ValidationError("This is not an email address that we can write to.")
    field.data = address


def _without_outer_blanks(text: str | None) -> str | None:
    return text.strip() if text else text


def _trimmed(max_length: int, text: str | None) -> str | None:
    text = text.strip() if text else text
    # Normalizing takes quadratic time: 400 kB of combining marks kept a worker busy for a minute. Such a long name is
    # refused later anyway.
    if not text or len(text) > 4 * max_length:
        return text
    return unicodedata.normalize("NFC", text)


def _plain_text(_form: Form, field: Field) -> None:
    """Refuse line breaks and invisible marks: names go into emails and lists."""
    if any(_is_unsafe(character) for character in field.data):
        raise ValidationError("Use only letters, blanks and punctuation.")


def _no_link(_form: Form, field: Field) -> None:
    """Refuse links: an attacker could otherwise make us email a link of their choice to any address."""
    if holds_link(field.data):
        raise ValidationError("This reads like a web address. Put a blank after each full stop, and leave out links.")


def _is_unsafe(character: str) -> bool:
    """Return whether a character is a control or format mark; joiners are allowed, since several scripts need them."""
    if character in "\u200c\u200d":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _hashable_length(_form: Form, field: Field) -> None:
    maximum = current_app.config["PASSWORD_MAX_LENGTH"]
    if len(field.data) > maximum:
        raise StopValidation(f"Use at most {maximum} characters.")


class _Strong:
    def __init__(self, personal_texts: PersonalTexts) -> None:
        self._personal_texts = personal_texts

    @property
    def field_flags(self) -> dict[str, object]:
        """The attributes that WTForms adds to the input."""
        return {"maxlength": current_app.config["PASSWORD_MAX_LENGTH"]}

    def __call__(self, form: Form, field: Field) -> None:
        words = passwords.personal_words(*self._personal_texts(form))
        strength = passwords.assess(field.data, words)
        if strength.problem is not None:
            raise ValidationError(" ".join([strength.problem, *strength.advice]))
        if current_app.config["PASSWORD_BREACH_CHECK"] and is_breached(field.data):
            raise ValidationError("This password is in a published list of stolen ones. Choose another.")
