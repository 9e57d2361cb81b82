"""The form that uploads a picture of oneself."""

from flask import current_app
from flask_wtf.file import FileField, FileRequired
from wtforms import Field, SubmitField, ValidationError

from app.kit.forms.form import Form
from app.kit.storage.pictures import problem_with_picture, too_large


def _picture_limits() -> tuple[int, int]:
    return current_app.config["PICTURE_MAX_BYTES"], current_app.config["PICTURE_MAX_PIXELS"]


def _picture(_form: Form, field: Field) -> None:
    if problem := problem_with_picture(field.data.stream, *_picture_limits()):
        raise ValidationError(problem)


class PictureForm(Form):
    """Upload a picture of oneself."""

    picture = FileField("New picture", [FileRequired("Choose a picture."), _picture])
    submit = SubmitField("Upload")

    def __init__(self) -> None:
        super().__init__()
        most_bytes, most_pixels = _picture_limits()
        limits = f"at most {most_bytes // 1_000_000} MB and {most_pixels // 1_000_000} megapixels."
        self.picture.description = f"PNG, JPEG or WebP, {limits}"
        accepted = "image/png,image/jpeg,image/webp"
        self.picture.render_kw = {
            "accept": accepted,
            "data-max-bytes": most_bytes,
            "data-too-large": too_large(most_bytes),
        }
