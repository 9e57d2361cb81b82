"""The form of a role."""

import functools
import operator

from flask import current_app
from flask_login import current_user
from wtforms import Field, SelectChoice, SelectField, StringField, SubmitField, ValidationError
from wtforms.validators import DataRequired, InputRequired

from app.access import rule_of
from app.admin.forms import one_line
from app.kit.forms.fields import CheckboxesField, at_most
from app.kit.forms.form import Form
from app.models import Permission, Role
from app.models.role import ABOUT_USERS, all_permissions, label_of

ROLE_NAME_MAX_LENGTH = 64
HOME_LABELS = {"main": "Home", "admin": "Dashboard"}


def _held_permissions() -> list[SelectChoice]:
    """Offer what the current user holds: nobody may grant more."""
    return [
        SelectChoice(int(bit), label_of(bit), {"description": getattr(bit, "description", "")})
        for bit in all_permissions()
        if current_user.can(bit)
    ]


def _home_pages() -> list[SelectChoice]:
    """Offer the first page of each area."""
    views = current_app.view_functions
    areas = [name for name in current_app.blueprints if f"{name}.index" in views and name != "dev"]
    return [SelectChoice(name, HOME_LABELS.get(name, name.replace("_", " ").capitalize())) for name in areas]


class RoleForm(Form):
    """A role that is not defined by the code."""

    name = StringField(
        "Name",
        [InputRequired("Enter a name."), DataRequired("Enter a name."), at_most(ROLE_NAME_MAX_LENGTH)],
        filters=[one_line],
        render_kw={"autocomplete": "off"},
    )
    permissions = CheckboxesField("What they may do", coerce=int, choices=_held_permissions)
    index = SelectField("Home page", choices=_home_pages, description="Where they begin.")
    submit = SubmitField("Save")

    @property
    def bits(self) -> int:
        """The chosen permissions."""
        return functools.reduce(operator.or_, self.permissions.data or [], 0)

    def validate_permissions(self, _field: Field) -> None:
        """Refuse to permit changes of users to somebody who cannot see them."""
        if self.bits & ABOUT_USERS and not Role(permissions=self.bits).has(Permission.VIEW_USERS):
            raise ValidationError(f"With these, also choose “{label_of(Permission.VIEW_USERS)}”.")

    def validate_index(self, field: Field) -> None:
        """Refuse a home page that the role may not open."""
        rule = rule_of(f"{field.data}.index")
        if isinstance(rule, int) and not Role(permissions=self.bits).has(rule):
            raise ValidationError("With these permissions they cannot open that page.")
