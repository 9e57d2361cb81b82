"""Saving and previewing the text of an editable page."""

from flask import Response as FlaskResponse
from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from app.admin.blueprint import admin
from app.admin.forms import EditorForm
from app.extensions import db
from app.kit.http.redirects import local_referrer
from app.kit.pages import markdown
from app.models import AuditEvent, EditableHTML


@admin.post("/_update_editor_contents")
def update_editor_contents() -> Response:
    """Store the text as it was written; every page that shows it renders it through the allow-list.

    A script gets 204, or 422 with what is wrong; a browser without scripts goes back to the page,
    or sees the form again with what was typed.
    """
    form = EditorForm()
    if not form.validate():
        return _refuse(form)
    try:
        _store(form)
    except IntegrityError:  # somebody else saved this page for the first time at this very moment
        db.session.rollback()
        _store(form)
    if _is_script():
        return FlaskResponse(status=204)
    flash("The text is saved.", "success")
    return redirect(local_referrer(url_for("main.index")))


@admin.post("/_preview_editor_contents")
def preview_editor_contents() -> Response:
    """Answer the text as the page would show it, as a piece of HTML; nothing is stored."""
    form = EditorForm()
    return FlaskResponse(markdown.render(form.edit_data.data)) if form.validate() else _refuse(form)


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
