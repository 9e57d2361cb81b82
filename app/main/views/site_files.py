"""The files that search engines and browsers request."""

from typing import TypeVar

from flask import Response, current_app, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.access import ANYONE, access
from app.assets import asset_url
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
        f"Sitemap: {_public(url_for('main.sitemap'))}",
    ]
    return _kept_a_day(Response("\n".join(lines) + "\n", mimetype="text/plain"))


@main.get("/sitemap.xml")
@access(ANYONE)
def sitemap() -> Response:
    """List the public pages for search engines."""
    addresses = [_public(url_for(endpoint)) for endpoint in current_app.extensions["sitemap"]]
    addresses += [_public(url_for("main.page", slug=page.editor_name)) for page in EditableHTML.published_pages()]
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


def _public(path: str) -> str:
    # BASE_URL, not the Host header, which the client chooses: crawlers store this URL.
    return current_app.config["BASE_URL"] + path.removeprefix(request.script_root)


def _kept_a_day(response: Kept) -> Kept:
    response.headers["Cache-Control"] = f"public, max-age={DAY_SECONDS}"
    return response
