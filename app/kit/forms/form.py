"""The base class of forms, and a check of the body of each request."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, flash, make_response, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, FileStorage, MultiDict
from werkzeug.exceptions import HTTPException
from wtforms import FileField

from app.kit.auth.csrf import MaskedFormCSRF
from app.kit.auth.sudo import show_typed_fields_again, take_interrupted_form
from app.kit.forms.field_errors import end_at_first_error
from app.kit.forms.inputs import render_input
from app.kit.http import request_text
from app.kit.http.large_bodies import largest_body_of

METHODS_WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
FORM_CONTENT_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}

View = TypeVar("View", bound=Callable[..., object])

FormData = Mapping[str, Any] | None


class Form(FlaskForm):
    """A form whose CSRF token has a new mask in every response, and which never reads JSON.

    When it is shown again after the user gave the password, it contains what was typed before.
    """

    class Meta(FlaskForm.Meta):
        """How WTForms handles CSRF tokens, rendering and submitted data."""

        csrf_class = MaskedFormCSRF

        def render_field(self, field: Any, render_kw: dict[str, Any]) -> str:
            """Return the HTML of a field."""
            return render_input(field.widget, field, render_kw)

        def wrap_formdata(self, form: FlaskForm, formdata: FormData) -> FormData:
            """Return the submitted data, or on GET that of an interrupted form; None without either."""
            if formdata is None or isinstance(formdata, dict):
                return formdata
            if request.method in METHODS_WITH_BODY:
                submitted: FormData = CombinedMultiDict((_wanted_files(form), request.form))
                return submitted or None
            return take_interrupted_form()

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Validate each field up to its first error; return whether all fields are valid."""
        end_at_first_error(self)
        return bool(super().validate(extra_validators))


def _wanted_files(form: FlaskForm) -> MultiDict[str, FileStorage]:
    """Return the uploaded files that belong to file fields; other fields expect text."""
    wanted = {field.name for field in form if isinstance(field, FileField)}
    return MultiDict([(name, file) for name, file in request.files.items(multi=True) if name in wanted])


def accepts(*content_types: str) -> Callable[[View], View]:
    """Return a decorator that lets a view accept other content types, for example ``application/json``."""

    def decorate(view: View) -> View:
        view.accepted_content_types = set(content_types)  # type: ignore[attr-defined]
        return view

    return decorate


def drawn_again(message: str) -> Response | None:
    """Return the page of a refused form with ``message`` and all that was typed, except passwords.

    Runs the view of the POST as a GET, which changes nothing. Returns None if there is no such page.
    """
    rule = request.url_rule
    if request.method != "POST" or rule is None or "GET" not in (rule.methods or ()):
        return None
    show_typed_fields_again()
    flash(message, "form-error")
    request.method = "GET"
    try:
        response = make_response(current_app.view_functions[rule.endpoint](**(request.view_args or {})))
    except HTTPException:
        response = None
    finally:
        request.method = "POST"
    return response if response is not None and response.status_code == 200 else None


def init_app(app: Flask) -> None:
    """Refuse a body that its view does not expect (415), and let only text that can be stored through.

    FlaskForm reads JSON by itself. Numbers, lists and deep nesting would then reach validators written for text,
    and every form of the site would return 500.
    """
    request_text.init_app(app)
    app.before_request(_guard_body)


def _guard_body() -> None:
    # Read from the WSGI environment, since most requests have no body and end here.
    sent = request.environ
    if "HTTP_TRANSFER_ENCODING" in sent:
        sent["wsgi.input"] = request_text.ChunkedBody(sent["wsgi.input"])
    has_body = sent.get("CONTENT_LENGTH") not in {None, "", "0"} or "HTTP_TRANSFER_ENCODING" in sent
    if not has_body or request.endpoint is None:
        return
    request.max_content_length = largest_body_of(current_app, request.endpoint)
    view = current_app.view_functions[request.endpoint]
    if request.mimetype not in getattr(view, "accepted_content_types", FORM_CONTENT_TYPES):
        abort(415)
