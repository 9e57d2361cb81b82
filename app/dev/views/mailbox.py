"""The mailbox: in development, mail is written to a folder instead of being sent."""

from pathlib import Path

from flask import Response, abort, current_app, render_template

from app.dev.blueprint import dev
from app.dev.email_frame import framed_html
from app.dev.messages import Message, message_named, newest_messages, newest_name
from app.kit.http.security_headers import allow_source


@dev.get("/mailbox")
def mailbox() -> str:
    """List the mails, newest first."""
    return render_template("dev/mailbox.html", messages=newest_messages(_folder()))


@dev.get("/mailbox/status")
def mailbox_status() -> Response:
    """Return the name of the newest mail. The list's script polls it every two seconds to notice new mail."""
    return Response(newest_name(_folder()), mimetype="text/plain", headers={"Cache-Control": "no-store"})


@dev.get("/mailbox/<name>")
def message(name: str) -> str:
    """Show one mail: HTML, text, headers and source."""
    allow_source("frame-src", "'self'")
    return render_template("dev/message.html", message=_message_or_404(name))


@dev.get("/mailbox/<name>/html")
def part(name: str) -> Response:
    """Return the mail's HTML, for the frame on its page."""
    html = _message_or_404(name).body("html")
    return abort(404) if html is None else framed_html(html)


@dev.get("/mailbox/<name>/raw")
def raw(name: str) -> Response:
    """Return the raw mail as plain text."""
    return Response(_message_or_404(name).source, mimetype="text/plain")


def _message_or_404(name: str) -> Message:
    return message_named(_folder(), name) or abort(404)


def _folder() -> Path:
    return current_app.config["MAILBOX_DIR"] or abort(404)
