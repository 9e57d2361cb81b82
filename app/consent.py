"""Agreeing to the terms: the check box in forms, and the question before the next change when they have changed."""

from collections.abc import Sequence
from hashlib import sha256

from flask import jsonify, make_response, redirect, request, url_for
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import BooleanField, Field, ValidationError

from app.extensions import cache
from app.kit.auth.sudo import interrupt
from app.kit.forms.form import Form
from app.models.consent import Document, documents, documents_due

# What works without agreeing: leaving with one's data, and ending sessions. The page that asks for the password on the
# way there works, too, with all that lies below its address: who has no password gives a passkey.
NEVER_ASKED = {
    "account.agree",
    "account.logout",
    "account.end_session",
    "account.end_other_sessions",
    "account.confirm_request",
    "account.request_export",
    "account.delete_account",
    "admin.preview_editor_contents",
    "admin.stop_impersonating",
}
# How long a form may show what the documents said before; who then agrees is asked to read them again.
SHOWN_SECONDS = 10
NOT_TICKED = "Tick this box if you agree. You can go on only then."
HAS_CHANGED = "This has changed since the page was opened. Read it again, then tick the box."


class AsksForConsent(Form):
    """A form with a box to tick, never ticked by us: ``consent = BooleanField()``, where it should stand.

    Without published documents there is no box. Once the form is valid, ``documents`` goes to ``Consent.record``.
    """

    consent: BooleanField

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.documents = self.asked_documents()
        if self.documents:
            self.consent.label.text = _label(self.documents)
            self.consent.render_kw = {"value": _state(self.documents), "required": True}
        else:
            del self.consent

    def asked_documents(self) -> list[Document]:
        """Return the documents to agree to. What is sent is compared with the database, not with the cache."""
        return [Document(*row) for row in _shown_documents()] if request.method == "GET" else documents()

    def validate_consent(self, field: Field) -> None:
        """Refuse a box that is not ticked, or was ticked for another text."""
        if not field.data:
            raise ValidationError(NOT_TICKED)
        if field.raw_data[0] != _state(self.documents):
            field.data = False
            raise ValidationError(HAS_CHANGED)


@cache.memoize(SHOWN_SECONDS)
def _shown_documents() -> list[tuple[str, str, str, int | None]]:
    """Return the fields of the documents. It is cached so that a form costs visitors no query."""
    return [(each.name, each.title, each.digest, each.revision_id) for each in documents()]


def _label(asked: Sequence[Document]) -> Markup:
    links = [_link(document) for document in asked]
    return Markup("I agree to the {}").format(Markup(" and the ").join(links))


def _link(document: Document) -> Markup:
    page = url_for("main.page", slug=document.name)
    hint = Markup('<span class="visually-hidden"> (opens in a new tab)</span>')
    # In a new tab: this one holds what was typed.
    return Markup('<a href="{}" target="_blank">{}{}</a>').format(page, document.title, hint)


def _state(asked: Sequence[Document]) -> str:
    """Return the value of the box: what exactly was agreed to."""
    return sha256(" ".join(f"{each.name} {each.digest}" for each in asked).encode()).hexdigest()[:32]


def ask_again() -> Response | None:
    """Stop a change by a user who has to agree first; the form is kept. Return None if there is nothing to ask."""
    is_on_the_way = request.path.startswith(url_for("account.confirm_password"))
    if request.endpoint in NEVER_ASKED or is_on_the_way or not documents_due(current_user):
        return None
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        told = {"error": "Our terms have changed.", "action": "Agree to them", "page": url_for("account.agree")}
        return make_response(jsonify(told), 403)
    return redirect(url_for("account.agree", next=interrupt()))
