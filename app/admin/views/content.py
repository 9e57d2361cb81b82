"""Saving and previewing the text of an editable page."""

from flask import Response as FlaskResponse
from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from app.admin.blueprint import admin
from app.admin.forms import EditorForm
from app.extensions import db
from app.kit.auth.sudo import gave_password_lately, password_page
from app.kit.http.redirects import local_referrer
from app.kit.pages import markdown
from app.models import AuditEvent, EditableHTML


@admin.post("/_update_editor_contents")
def update_editor_contents() -> Response:
    """Store the text as written. The pages that show it render it through an allow-list of HTML.

    Scripts get 204, 422 for an invalid text, or 403 if the password has to be entered again. Browsers
    without scripts are redirected to the page, or get the form again with the typed text.
    """
    form = EditorForm()
    if not form.validate():
        return _refuse(form)
    if not gave_password_lately():
        return _ask_for_password(form)
    try:
        _store(form)
    except IntegrityError:  # another request inserted the row at the same time
        db.session.rollback()
        _store(form)
    if _is_script():
        return FlaskResponse(status=204)
    flash("The text is saved.", "success")
    return redirect(_edited_page())


@admin.post("/_preview_editor_contents")
def preview_editor_contents() -> Response:
    """Return the text rendered as an HTML fragment, without storing it."""
    form = EditorForm()
    return FlaskResponse(markdown.render(form.edit_data.data)) if form.validate() else _refuse(form)


def _ask_for_password(form: EditorForm) -> Response:
    """Ask for the password in another tab. A redirect by ``sudo_required`` would lose the typed text."""
    page = password_page(_edited_page())
    if _is_script():
        return make_response(jsonify(error="You entered your password a while ago.", page=page), 403)
    return make_response(render_template("admin/edit_text.html", form=form, password_page=page), 403)


def _edited_page() -> str:
    """Return the URL of the edited page, or the home page if the form came from this endpoint, which has no GET."""
    home = url_for("main.index")
    came_from = local_referrer(home)
    return home if came_from == request.path else came_from


def _store(form: EditorForm) -> None:
    piece = EditableHTML.get_editable_html(form.editor_name.data)
    piece.value = form.edit_data.data
    db.session.add(piece)
    AuditEvent.record("page.edited", page=piece.editor_name)
    db.session.commit()


def _refuse(form: EditorForm) -> Response:
    if _is_script():
        problems = [problem for errors in form.errors.values() for problem in errors]
        return make_response(jsonify(error=" ".join(problems)), 422)
    return make_response(render_template("admin/edit_text.html", form=form), 422)


def _is_script() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
