"""The files that search engines, browsers and security researchers request, some at well-known URLs (RFC 8615)."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import TypeVar

from flask import Response, abort, current_app, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.access import ANYONE, access
from app.assets import asset_url
from app.kit.http.links import external_url
from app.main.blueprint import main
from app.models import EditableHTML

PRIVATE_AREAS = ["/account/manage", "/admin/", "/dev/"]
DAY_SECONDS = 86400

Kept = TypeVar("Kept", bound=AnyResponse)


@main.get("/robots.txt")
@access(ANYONE)
def robots() -> Response:
    """Return robots.txt: the paths that crawlers should skip, and the URL of the sitemap."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE_AREAS),
        f"Sitemap: {external_url('main.sitemap')}",
    ]
    return _kept_a_day(Response("\n".join(lines) + "\n", mimetype="text/plain"))


@main.get("/sitemap.xml")
@access(ANYONE)
def sitemap() -> Response:
    """List the public pages for search engines."""
    addresses = [external_url(endpoint) for endpoint in current_app.extensions["sitemap"]]
    addresses += [external_url("main.page", slug=page.editor_name) for page in EditableHTML.published_pages()]
    return _kept_a_day(Response(render_template("main/sitemap.xml", addresses=addresses), mimetype="application/xml"))


@main.get("/site.webmanifest")
@access(ANYONE)
def manifest() -> Response:
    """Return the web manifest: the site's name and icons for the home screen of a phone."""
    icons = [
        {"src": asset_url(f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"} for size in (192, 512)
    ]
    name = current_app.config["APP_NAME"]
    response = jsonify(name=name, short_name=name, start_url=url_for("main.index"), display="standalone", icons=icons)
    response.mimetype = "application/manifest+json"
    return _kept_a_day(response)


@main.get("/favicon.ico")
@access(ANYONE)
def favicon() -> AnyResponse:
    """Redirect browsers that request the traditional URL to the icon."""
    return _kept_a_day(redirect(asset_url("favicon.svg")))


@main.get("/.well-known/security.txt")
@access(ANYONE)
def security_txt() -> Response:
    """Return the contact for reports of vulnerabilities (RFC 9116), or 404 unless SECURITY_CONTACT is set."""
    if not current_app.config["SECURITY_CONTACT"]:
        abort(404)
    return _kept_a_day(Response("".join(f"{line}\n" for line in _security_lines()), mimetype="text/plain"))


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
    expires = datetime.combine(datetime.now(UTC) + config["SECURITY_TXT_LIFETIME"], time(), UTC)
    yield f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}"
    yield f"Preferred-Languages: {', '.join(config['SECURITY_LANGUAGES'])}"
    # The RFC allows only https URLs.
    if config["BASE_URL"].startswith("https://"):
        yield f"Canonical: {external_url('main.security_txt')}"
    if config["SECURITY_POLICY"]:
        yield f"Policy: {config['SECURITY_POLICY']}"


def _kept_a_day(response: Kept) -> Kept:
    response.headers["Cache-Control"] = f"public, max-age={DAY_SECONDS}"
    return response
