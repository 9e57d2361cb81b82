"""The headers that tell a browser what our pages may do, on every response; config.py says which they are."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, current_app, g, request

FILE_CSP = "default-src 'none'; frame-ancestors 'none'"
SEPARATOR = re.compile(r"[\s;,]")


def csp_nonce() -> str:
    """Return the response's nonce, for the ``nonce`` attribute of each script element."""
    if "csp_nonce" not in g:
        g.csp_nonce = token_urlsafe(16)
    return g.csp_nonce


def allow_source(directive: str, source: str) -> None:
    """Allow ``source`` in one directive of this response's CSP: ``allow_source("img-src", "https://cdn.example")``.

    Raises ValueError when it contains a separator, which would begin another source or directive.
    """
    if SEPARATOR.search(directive + source):
        raise ValueError(f"{source!r} would end the directive and begin another one")
    g.setdefault("csp_sources", {}).setdefault(directive, []).append(source)


def may_show_image(source: str) -> bool:
    """Return whether the site's CSP lets a page show an image with this ``src``."""
    parts = urlsplit(source)
    if not parts.netloc or parts.netloc == request.host:
        return True
    wanted = (f"{parts.scheme}:", parts.netloc, f"{parts.scheme or request.scheme}://{parts.netloc}")
    allowed = current_app.config["CONTENT_SECURITY_POLICY"]["img-src"]
    return any(fnmatchcase(name, pattern) for name in wanted for pattern in allowed)


def init_app(app: Flask) -> None:
    """Add the headers to every response of ``app``, errors included."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    headers = {**file_headers(app), "Content-Security-Policy": _as_text(app.config["CONTENT_SECURITY_POLICY"])}
    app.wsgi_app = _MissingHeaders(app.wsgi_app, headers)  # type: ignore[method-assign]
    app.after_request(_add_headers_of_this_response)


class _MissingHeaders:
    """WSGI middleware that adds the common headers, except those that a view has set.

    It works outside of Flask, which looks at each header three times and does not run its hooks for some refusals.
    """

    def __init__(self, application: WSGIApplication, headers: dict[str, str]) -> None:
        self._application = application
        self._headers = [(name.lower(), (name, value)) for name, value in headers.items()]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start_with_all(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            present = {name.lower() for name, _value in headers}
            headers.extend(header for name, header in self._headers if name not in present)
            return start_response(status, headers, exc_info)

        return self._application(environ, start_with_all)


def _add_headers_of_this_response(response: Response) -> Response:
    if has_own_policy():
        response.headers.setdefault("Content-Security-Policy", content_security_policy())
    if "Cache-Control" not in response.headers:
        if g.get("user_id") is not None:
            # The view used the logged-in user: on a shared computer the browser must not show the page again.
            response.headers["Cache-Control"] = "no-store"
        elif "csrf_token" in g:
            # A form for one browser. Not "no-store", with which the form is empty when the visitor goes back to it.
            response.headers["Cache-Control"] = "private"
    return response


def file_headers(app: Flask) -> dict[str, str]:
    """Return the headers that every file and page carries; a browser obeys HSTS over https only."""
    headers: dict[str, str] = dict(app.config["SECURITY_HEADERS"])
    if not app.config["SSL_DISABLE"]:
        headers["Strict-Transport-Security"] = app.config["STRICT_TRANSPORT_SECURITY"]
    return headers


def has_own_policy() -> bool:
    """Return whether the current response's CSP differs from that of all other pages."""
    return "csp_nonce" in g or "csp_sources" in g


def content_security_policy() -> str:
    """Return the CSP of the current response."""
    directives = dict(current_app.config["CONTENT_SECURITY_POLICY"])
    if "csp_nonce" in g:
        directives["script-src"] = [*directives["script-src"], f"'nonce-{g.csp_nonce}'"]
    for directive, sources in g.get("csp_sources", {}).items():
        kept = [source for source in directives.get(directive, []) if source != "'none'"]
        directives[directive] = [*kept, *sources]
    return _as_text(directives)


def _as_text(directives: dict[str, list[str]]) -> str:
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())
