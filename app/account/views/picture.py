"""The picture of an account: uploading, removing and sending it."""

from flask import Response as FlaskResponse
from flask import abort, current_app, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access import ANYONE, access
from app.account.blueprint import account
from app.account.picture_form import PictureForm
from app.extensions import db, limiter
from app.jobs import make_picture
from app.kit.auth.limits import from_config, signed_in_user
from app.kit.http.large_bodies import accepts_file
from app.kit.storage.serving import file_response
from app.kit.storage.store import StorageError
from app.models import AuditEvent
from app.pictures import picture_pieces, remove_picture, upload_of, upload_picture

# The address of a picture never shows another one. Not for shared caches, which would keep one that was removed.
FOREVER = "private, max-age=31536000, immutable"


@account.route("/picture", methods=["GET", "POST"])
@accepts_file("PICTURE_MAX_BYTES")
@limiter.limit(from_config("PICTURE_LIMIT"), methods=["POST"], key_func=signed_in_user)
def picture() -> str | Response:
    """Show one's picture, and take a new one, of which a job makes the small ones that are shown."""
    form = PictureForm()
    if form.validate_on_submit():
        try:
            upload = upload_picture(current_user._get_current_object(), form.picture.data.stream)
        except StorageError as error:
            current_app.logger.error("an upload could not be stored: %s", error)
            flash("Your picture could not be stored just now. Nothing was changed. Try again later.", "form-error")
        else:
            make_picture.enqueue(upload.id)
            AuditEvent.record("user.picture_changed", subject=current_user)
            db.session.commit()
            return redirect(url_for("account.picture"))
    return render_template("account/picture.html", form=form, upload=upload_of(current_user))


@account.post("/picture/remove")
def remove_own_picture() -> Response:
    """Remove one's picture."""
    remove_picture(current_user._get_current_object())
    AuditEvent.record("user.picture_removed", subject=current_user)
    db.session.commit()
    flash("Your picture is removed.", "success")
    return redirect(url_for("account.picture"))


@account.get("/picture/<key>-<int:size>.webp")
@access(ANYONE)
def picture_file(key: str, size: int) -> FlaskResponse:
    """Send a picture; its key stands only on pages that show it."""
    try:
        pieces = picture_pieces(key, size)
    except StorageError as error:
        current_app.logger.warning("a picture could not be read: %s", error)
        pieces = None
    if pieces is None:
        abort(404)
    response = file_response(pieces, "image/webp", "picture.webp", inline=True)
    response.headers["Cache-Control"] = FOREVER
    return response
