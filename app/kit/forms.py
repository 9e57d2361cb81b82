"""The parent of every form, and the gate that lets only form bodies through."""

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, abort, current_app, request
from flask_wtf import FlaskForm

from app.kit.csrf import MaskedFormCSRF

FORM_CONTENT_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}

View = TypeVar("View", bound=Callable[..., object])


class Form(FlaskForm):
    """A form whose CSRF token is masked in every response."""

    class Meta(FlaskForm.Meta):
        csrf_class = MaskedFormCSRF


def accepts(*content_types: str) -> Callable[[View], View]:
    """Let a view take bodies of other types than a form's, for example ``application/json``."""

    def decorate(view: View) -> View:
        view.accepted_content_types = set(content_types)  # type: ignore[attr-defined]
        return view

    return decorate


def init_app(app: Flask) -> None:
    """Refuse (415) a body that its view does not expect.

    FlaskForm reads JSON by itself: numbers, lists and deep nesting then reach validators
    written for text, and every form of the site answers 500.
    """
    app.before_request(_refuse_other_content_types)


def _refuse_other_content_types() -> None:
    if not request.content_length or request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    if request.mimetype not in getattr(view, "accepted_content_types", FORM_CONTENT_TYPES):
        abort(415)
