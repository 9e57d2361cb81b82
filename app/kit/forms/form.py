"""The parent of every form, and the gate that lets only form bodies through."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Flask, abort, current_app, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, FileStorage, MultiDict
from wtforms import FileField

from app.kit.auth.csrf import MaskedFormCSRF
from app.kit.auth.sudo import take_interrupted_form
from app.kit.forms.field_errors import end_at_first_error
from app.kit.forms.inputs import render_input
from app.kit.http import request_text

METHODS_WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
FORM_CONTENT_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}

View = TypeVar("View", bound=Callable[..., object])

FormData = Mapping[str, Any] | None


class Form(FlaskForm):
    """A form whose CSRF token is masked in every response, and that never reads JSON.

    Shown again after a stop to give the password, it holds what was typed before.
    """

    class Meta(FlaskForm.Meta):
        csrf_class = MaskedFormCSRF

        def render_field(self, field: Any, render_kw: dict[str, Any]) -> str:
            return render_input(field.widget, field, render_kw)

        def wrap_formdata(self, form: FlaskForm, formdata: FormData) -> FormData:
            if formdata is None or isinstance(formdata, dict):
                return formdata
            if request.method in METHODS_WITH_BODY:
                submitted: FormData = CombinedMultiDict((_wanted_files(form), request.form))
                return submitted or None
            return take_interrupted_form()

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Validate each field up to its first error, after a look at its text."""
        end_at_first_error(self)
        return bool(super().validate(extra_validators))


def _wanted_files(form: FlaskForm) -> MultiDict[str, FileStorage]:
    """Answer the uploaded files that belong to file fields: in any other field a file is no text."""
    wanted = {field.name for field in form if isinstance(field, FileField)}
    return MultiDict([(name, file) for name, file in request.files.items(multi=True) if name in wanted])


def accepts(*content_types: str) -> Callable[[View], View]:
    """Let a view take bodies of other types than a form's, for example ``application/json``."""

    def decorate(view: View) -> View:
        view.accepted_content_types = set(content_types)  # type: ignore[attr-defined]
        return view

    return decorate


def init_app(app: Flask) -> None:
    """Refuse (415) a body that its view does not expect, and let only text that can be stored through.

    FlaskForm reads JSON by itself: numbers, lists and deep nesting then reach validators
    written for text, and every form of the site answers 500.
    """
    request_text.init_app(app)
    app.before_request(_guard_body)


def _guard_body() -> None:
    # Read where the server put them: most requests have no body, and end here.
    sent = request.environ
    if "HTTP_TRANSFER_ENCODING" in sent:
        sent["wsgi.input"] = request_text.ChunkedBody(sent["wsgi.input"])
    has_body = sent.get("CONTENT_LENGTH") not in {None, "", "0"} or "HTTP_TRANSFER_ENCODING" in sent
    if not has_body or request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    if request.mimetype not in getattr(view, "accepted_content_types", FORM_CONTENT_TYPES):
        abort(415)
