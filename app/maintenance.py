"""Maintenance: while a file exists, pages return 503, except for administrators.

A file, because looking whether it exists takes 2 µs, needs neither the database nor Redis (which may be what is being
mended), and holds for all processes of a machine at once. Platforms of many machines have a switch of their own.
"""

import os
from pathlib import Path

from flask import Flask, Response, current_app, make_response, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db

# Health checks, monitoring, and every way to log in: administrators have to be recognized, also those who look at the
# site as another user.
STAYS_OPEN = {
    "main.up",
    "main.up_ready",
    "main.up_doctor",
    "main.metrics_page",
    "account.login",
    "account.login_with_passkey",
    "account.log_in_with_provider",
    "account.provider_callback",
    "account.mailed_code_request",
    "account.mailed_code",
    "account.mailed_code_link",
    "account.second_factor",
    "account.second_factor_passkey",
    "account.logout",
    "admin.stop_impersonating",
}
MESSAGE = "We are working on the site, and will be back in a few minutes."


def init_app(app: Flask) -> None:
    """Check before every request. Call this before anything that counts, or refuses, what was sent."""
    app.before_request(_close)


def is_on() -> bool:
    """Return whether the site is closed."""
    return os.path.exists(current_app.config["MAINTENANCE_FILE"])  # noqa: PTH110 # asked by each request


def begin(message: str) -> None:
    """Close the site."""
    file = Path(current_app.config["MAINTENANCE_FILE"])
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(message, encoding="utf-8")
    unfinished.replace(file)


def end() -> None:
    """Open the site."""
    Path(current_app.config["MAINTENANCE_FILE"]).unlink(missing_ok=True)


def _close() -> Response | None:
    if not is_on() or request.endpoint is None or request.endpoint in STAYS_OPEN or _is_administrator():
        return None
    try:
        message = Path(current_app.config["MAINTENANCE_FILE"]).read_text(encoding="utf-8")
    except FileNotFoundError:  # it has just ended
        return None
    # Not render_template: it loads the current user, and the database may be what is being mended.
    template = current_app.jinja_env.get_template("errors/maintenance.html")
    address = request.script_root + request.full_path.rstrip("?")
    html = template.render(message=message, sent=_sent_fields(), is_form=request.method == "POST", address=address)
    response = make_response(html, 503)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Retry-After"] = str(int(current_app.config["MAINTENANCE_RETRY_AFTER"].total_seconds()))
    return response


def _is_administrator() -> bool:
    try:
        return bool(current_user.is_admin())
    except SQLAlchemyError:
        db.session.rollback()
        return False


def _sent_fields() -> list[tuple[str, str]]:
    """Return what was typed, except passwords: this page can lie open for long."""
    return [(name, value) for name, value in request.form.items(multi=True) if "password" not in name]
