"""Validate form fields: text that can be stored, and one error per field.

WTForms continues after a validator's ValidationError. The next validator, which may query the database, then gets
the refused value, and the user sees two errors for one mistake.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from wtforms import (
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    PasswordField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Optional, StopValidation

from app.kit.http.request_text import REPLACEMENT_CHARACTER

# These validators check the raw input instead of the parsed value, and clear earlier errors.
LOOK_AT_RAW_DATA = (DataRequired, InputRequired, Optional)
MAY_HOLD_LINES = (TextAreaField, HiddenField, PasswordField)
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Validator = Callable[[Any, Any], object]


def end_at_first_error(fields: Iterable[Field]) -> None:
    """Make each field check first that its text can be stored, and stop at its first error."""
    for field in fields:
        if isinstance(field, FormField):
            end_at_first_error(field.form)
        elif isinstance(field, FieldList):
            end_at_first_error(field.entries)
        elif _stop_after_error not in field.validators:
            checks = [_LastWord(check) for check in (_text_can_be_stored, *field.validators)]
            field.validators = [*checks, _stop_after_error]


class _LastWord:
    """A validator that is skipped after an error, and whose own error ends the field's validation."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def __call__(self, form: Form, field: Field) -> None:
        if field.errors and not isinstance(self._validator, LOOK_AT_RAW_DATA):
            return
        try:
            self._validator(form, field)
        except ValidationError as error:
            # Without a message WTForms would treat the field as valid.
            raise StopValidation((error.args and error.args[0]) or "This is not valid.") from error


def _text_can_be_stored(_form: Form, field: Field) -> None:
    """Refuse text that cannot be stored, and line breaks and control characters in a one-line field."""
    text = field.data
    if not isinstance(text, str):
        return
    if REPLACEMENT_CHARACTER in text:
        raise ValidationError(f'This contains a character that cannot be stored, shown as "{REPLACEMENT_CHARACTER}".')
    if isinstance(field, StringField) and not isinstance(field, MAY_HOLD_LINES) and CONTROL_CHARACTER.search(text):
        raise ValidationError("This contains a line break or another control character.")


def _stop_after_error(_form: Form, field: Field) -> None:
    """Stop before a form's own ``validate_<field>``, which must not get data that could not be parsed."""
    if field.errors:
        field.errors = list(field.errors)[:1]
        raise StopValidation
