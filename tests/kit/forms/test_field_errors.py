"""Each field of each form, including a fork's, accepts only text that can be stored, and shows one error at a time."""

from collections.abc import Iterator

import pytest
from flask import Flask
from wtforms import (
    Field,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    PasswordField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.kit.forms import form as forms
from app.kit.forms.fields import email_field, name_field
from app.kit.forms.form import Form

STORED_NOWHERE = 'This contains a character that cannot be stored, shown as "\ufffd".'
NO_LINES = "This contains a line break or another control character."


def _fails(_form: Form, _field: Field) -> None:
    raise AssertionError("a validator after a refusal")


def _wordless(_form: Form, _field: Field) -> None:
    raise ValidationError("")


class PartForm(Form):
    name = StringField("Name")


class ForkForm(Form):
    line = StringField("Line")
    text = TextAreaField("Text")
    hidden = HiddenField()
    password = PasswordField("Password")
    short = StringField("Short", [Length(max=3, message="Too long."), Length(max=2, message="Much too long.")])
    number = IntegerField("Number", [Optional(), NumberRange(max=9)])
    choice = SelectField("Choice", coerce=int, choices=[SelectChoice(1, "One")])
    wordless = StringField("Wordless", [_wordless])
    parts = FieldList(StringField("Part"))
    part = FormField(PartForm)

    def validate_number(self, field: Field) -> None:
        """Use the number, as a validator of a form may."""
        assert field.data is None or field.data + 1


class PersonForm(Form):
    name = name_field("First name", "off", 64)
    email = email_field()


class GuardedForm(Form):
    """A form with validators that must not run after an earlier one refused, or on text that cannot be stored."""

    refused = StringField("Refused", [InputRequired(), Length(max=1, message="Too long."), _fails])
    unreadable = StringField("Unreadable", [_fails])

    def validate_refused(self, field: Field) -> None:
        _fails(self, field)


@pytest.fixture
def site(bare_app: Flask) -> Iterator[Flask]:
    """Return a site that validates forms."""
    bare_app.config["WTF_CSRF_ENABLED"] = False
    forms.init_app(bare_app)
    return bare_app


def errors_of(site: Flask, kind: type[Form], **sent: object) -> dict[str, object]:
    """Return the form's errors for this data, None where there are none."""
    with site.test_request_context("/", method="POST", data=sent):
        form = kind()
        is_valid = form.validate_on_submit()
        assert is_valid == (not form.errors)
        return form.errors


def test_no_text_field_takes_what_cannot_be_stored(site: Flask) -> None:
    names = ("line", "text", "hidden", "password", "short", "wordless")
    errors = errors_of(site, ForkForm, choice="1", **dict.fromkeys(names, "\x00"))
    assert {name: errors[name] for name in names} == {name: [STORED_NOWHERE] for name in names}


def test_bytes_that_are_no_text_are_refused_likewise(site: Flask) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="line"\r\n\r\n\xff\r\n--b--\r\n'
    with site.test_request_context("/", method="POST", data=body, content_type="multipart/form-data; boundary=b"):
        form = ForkForm()
        assert not form.validate()
        assert form.line.errors == [STORED_NOWHERE]


def test_what_was_typed_stays_with_the_character_marked(site: Flask) -> None:
    with site.test_request_context("/", method="POST", data={"line": "a\x00b"}):
        form = ForkForm()
        form.validate()
        assert form.line.data == "a\ufffdb"


@pytest.mark.parametrize("control", ["\r\nBcc: a@example.org", "\t", "\x1b[2J", "\x7f", "\x85", "\u2028"])
def test_one_line_is_one_line(site: Flask, control: str) -> None:
    several = dict.fromkeys(("line", "text", "hidden", "password"), f"a{control}")
    errors = errors_of(site, ForkForm, choice="1", **several)
    assert errors["line"] == [NO_LINES]
    assert not {"text", "hidden", "password"} & errors.keys()


def test_the_first_error_of_a_field_is_its_last(site: Flask) -> None:
    errors = errors_of(site, ForkForm, short="abcd", number="x", choice="x")
    assert errors["short"] == ["Too long."]
    assert errors["number"] == ["Not a valid integer value."]
    assert len(errors["choice"]) == 1


def test_no_validator_runs_after_a_refusal(site: Flask) -> None:
    assert errors_of(site, GuardedForm, refused="long", unreadable="\x00").keys() == {"refused", "unreadable"}


def test_validators_of_what_was_sent_still_take_errors_back(site: Flask) -> None:
    errors = errors_of(site, ForkForm, choice="1", number="")
    assert "number" not in errors
    assert "choice" not in errors


def test_an_error_without_words_is_an_error(site: Flask) -> None:
    assert errors_of(site, ForkForm, choice="1")["wordless"] == ["This is not valid."]


def test_fields_inside_of_fields_are_read_alike(site: Flask) -> None:
    errors = errors_of(site, ForkForm, **{"choice": "1", "parts-0": "\x00", "parts-1": "a", "part-name": "\x00"})
    assert errors["parts"] == [[STORED_NOWHERE], []]
    assert errors["part"] == {"name": [STORED_NOWHERE]}


def test_a_form_may_be_validated_twice(site: Flask) -> None:
    with site.test_request_context("/", method="POST", data={"short": "abcd", "choice": "1"}):
        form = ForkForm()
        assert [form.validate(), form.validate()] == [False, False]
        assert form.short.errors == ["Too long."]
        assert len(form.short.validators) == 4


@pytest.mark.parametrize("name", ["", "   ", "\t", "\u3000"])
def test_a_name_of_blanks_is_one_error(site: Flask, name: str) -> None:
    assert errors_of(site, PersonForm, name=name, email="a@example.org") == {"name": ["Enter a first name."]}


@pytest.mark.parametrize("name", ["www.evil-prize.com", "HTTPS：//evil", "ＷＷＷ．evil．com", "St.John"])
def test_a_name_is_no_link(site: Flask, name: str) -> None:
    errors = errors_of(site, PersonForm, name=name, email="a@example.org")
    assert [text.partition(".")[0] for text in errors["name"]] == ["This reads like a web address"]


@pytest.mark.parametrize("name", ["J. R. R. Tolkien", "O'Brien", "Ｊean", "دنیا\u200cزاد"])
def test_a_name_is_kept_as_it_was_typed(site: Flask, name: str) -> None:
    with site.test_request_context("/", method="POST", data={"name": f" {name}\t", "email": " a@example.org\n"}):
        form = PersonForm()
        assert form.validate()
        assert (form.name.data, form.email.data) == (name, "a@example.org")
