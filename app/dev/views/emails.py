"""Previews of all emails, rendered with sample data."""

from flask import Response, abort, render_template

from app.dev.blueprint import dev
from app.dev.email_frame import framed_html
from app.email import catalog
from app.kit.http.security_headers import allow_source
from app.kit.mail.catalog import CatalogEmail


@dev.get("/emails")
def emails() -> str:
    """List the emails that the application sends."""
    return render_template("dev/emails.html", emails=list(catalog.emails.values()))


@dev.get("/emails/<name>")
def preview(name: str) -> str:
    """Show one email as HTML and as text."""
    allow_source("frame-src", "'self'")
    email = _email_or_404(name)
    return render_template("dev/preview.html", email=email, rendered=email.preview())


@dev.get("/emails/<name>/html")
def preview_html(name: str) -> Response:
    """Return the HTML of one email, for the frame of its preview."""
    return framed_html(_email_or_404(name).preview().html)


def _email_or_404(name: str) -> CatalogEmail:
    return catalog.emails.get(name) or abort(404)
