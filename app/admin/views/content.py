"""Saving and previewing the text of an editable page."""

import re
from html import unescape

from flask import Response as FlaskResponse
from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from app.access import access
from app.admin.blueprint import admin
from app.admin.forms import EditorForm
from app.extensions import db
from app.kit.auth.sudo import gave_password_lately, password_page
from app.kit.db.database import lock_row
from app.kit.http.redirects import local_referrer, safe_next
from app.kit.http.security_headers import may_show_image
from app.kit.pages import markdown
from app.models import AuditEvent, EditableHTML, Permission, TextRevision

IMAGE_SOURCE = re.compile(r'<img\b[^>]*? src="([^"]*)"')
SHOWN_IMAGES = 3


@admin.post("/_update_editor_contents")
@access(Permission.CHANGE_PAGES)
def update_editor_contents() -> Response:
    """Store the text as written. The pages that show it render it through an allow-list of HTML.

    Scripts get 204, 422 for an invalid text, 403 if the password has to be entered again, or 409 if somebody
    has changed the text meanwhile. Browsers without scripts are redirected to the page, or get the form again
    with the typed text.
    """
    form = EditorForm()
    if not form.validate():
        return _refuse(form)
    if not gave_password_lately():
        return _ask_for_password(form)
    try:
        theirs = _store(form)
    except IntegrityError:  # another request inserted the row at the same time
        db.session.rollback()
        theirs = _store(form)
    if theirs is not None:
        return _show_both(form, theirs)
    flash("The text is saved.", "success")
    _warn_of_blocked_images(form.edit_data.data)
    return FlaskResponse(status=204) if _is_script() else redirect(_edited_page(form))


@admin.post("/_preview_editor_contents")
@access(Permission.CHANGE_PAGES)
def preview_editor_contents() -> Response:
    """Return the text rendered as an HTML fragment, without storing it."""
    form = EditorForm()
    return FlaskResponse(markdown.render(form.edit_data.data)) if form.validate() else _refuse(form)


def _ask_for_password(form: EditorForm) -> Response:
    """Ask for the password in another tab. A redirect by ``sudo_required`` would lose the typed text."""
    page = password_page(_edited_page(form))
    if _is_script():
        told = {"error": "You logged in a while ago.", "action": "Confirm that it is you", "page": page}
        return make_response(jsonify(told), 403)
    return make_response(_edit_page(form, password_page=page), 403)


def _edited_page(form: EditorForm) -> str:
    """Return the URL of the edited page, which a template of flask-base sends only as the referrer."""
    return safe_next(form.page.data, local_referrer(url_for("main.index")))


def _store(form: EditorForm) -> EditableHTML | None:
    """Save the text and commit. If it is no longer the one that the form showed, change nothing and return it."""
    piece = EditableHTML.get_editable_html(form.editor_name.data)
    if piece in db.session:
        lock_row(db.session, piece)
    if form.seen.data and form.seen.data != piece.fingerprint:
        db.session.rollback()
        return piece
    asks_again = "asks_again" in form and form.asks_again.data
    TextRevision.write(piece, form.edit_data.data, current_user.id, asks_again=asks_again)
    AuditEvent.record("page.asks_again" if asks_again else "page.edited", page=piece.editor_name)
    db.session.commit()
    return None


def _show_both(form: EditorForm, theirs: EditableHTML) -> Response:
    """Show the present text beside the typed one. Saving this form replaces what it shows."""
    if _is_script():
        return make_response(jsonify(error="Somebody has changed this text meanwhile."), 409)
    form.seen.data = theirs.fingerprint
    return make_response(_edit_page(form, theirs=theirs), 409)


def _warn_of_blocked_images(text: str) -> None:
    """Say which images the Content Security Policy will not let anybody see."""
    sources = [unescape(source) for source in IMAGE_SOURCE.findall(markdown.render(text))]
    if blocked := [source for source in sources if not may_show_image(source)]:
        flash(
            f"Nobody will see {', '.join(blocked[:SHOWN_IMAGES])}: this site shows no images of other sites. "
            "To allow one, add it to img-src in config.py.",
            "warning",
        )


def _edit_page(form: EditorForm, **values: object) -> str:
    # Sent again from here, the referrer is this URL, which has no GET.
    form.page.data = _edited_page(form)
    return render_template("admin/edit_text.html", form=form, page=form.page.data, **values)


def _refuse(form: EditorForm) -> Response:
    if _is_script():
        problems = [problem for errors in form.errors.values() for problem in errors]
        return make_response(jsonify(error=" ".join(problems)), 422)
    return make_response(_edit_page(form), 422)


def _is_script() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
