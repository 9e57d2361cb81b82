"""The well-known URLs (RFC 8615) for browsers and security researchers."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from flask import Response, abort, current_app, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.access import ANYONE, access
from app.main.blueprint import main

DAY_SECONDS = 86400


@main.get("/.well-known/security.txt")
@access(ANYONE)
def security_txt() -> Response:
    """Return the contact for reports of vulnerabilities (RFC 9116), or 404 unless SECURITY_CONTACT is set."""
    if not current_app.config["SECURITY_CONTACT"]:
        abort(404)
    response = Response("".join(f"{line}\n" for line in _security_lines()), mimetype="text/plain")
    response.headers["Cache-Control"] = f"public, max-age={DAY_SECONDS}"
    return response


@main.get("/.well-known/change-password")
@access(ANYONE)
def change_password() -> AnyResponse:
    """Redirect password managers to the form (W3C, A Well-Known URL for Changing Passwords)."""
    return redirect(url_for("account.change_password"))


def _security_lines() -> Iterator[str]:
    config = current_app.config
    for contact in config["SECURITY_CONTACT"]:
        yield f"Contact: {contact}"
    # To the day, so that every process returns the same text.
    expires = datetime.combine(datetime.now(UTC) + current_app.config["SECURITY_TXT_LIFETIME"], time(), UTC)
    yield f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}"
    yield f"Preferred-Languages: {', '.join(config['SECURITY_LANGUAGES'])}"
    # BASE_URL, not the Host header, which the client chooses. The RFC allows only https URLs.
    if config["BASE_URL"].startswith("https://"):
        yield f"Canonical: {config['BASE_URL']}{url_for('main.security_txt').removeprefix(request.script_root)}"
    if config["SECURITY_POLICY"]:
        yield f"Policy: {config['SECURITY_POLICY']}"
