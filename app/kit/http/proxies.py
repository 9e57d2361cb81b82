"""Behind a proxy: which client address to trust, redirects to https, and health checks by address."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, redirect, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

HEALTH_CHECKS = {"/up", "/up/ready"}


def init_app(app: Flask) -> None:
    """Trust as many X-Forwarded-For entries as there are proxies (PROXY_COUNT), and redirect http to https.

    Without a proxy the header is ignored: anybody could evade a rate limit by naming another address.
    """
    count = app.config["PROXY_COUNT"]
    if count:
        # Each proxy appends to X-Forwarded-For; the nearest one replaces X-Forwarded-Proto.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=1, x_host=0)  # type: ignore[method-assign]
    if not app.config["SSL_DISABLE"]:
        app.before_request(_to_https)
    app.wsgi_app = _HealthChecksOfAnyHost(app.wsgi_app, app)  # type: ignore[method-assign]


class _HealthChecksOfAnyHost:
    """WSGI middleware that lets the health checks be asked for by any host; all else keeps TRUSTED_HOSTS.

    Container proxies and load balancers ask by address, and these pages contain nothing that depends on the host.
    """

    def __init__(self, application: WSGIApplication, app: Flask) -> None:
        self._application = application
        self._settings = app.config

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] in HEALTH_CHECKS and self._settings["TRUSTED_HOSTS"]:
            environ["HTTP_HOST"] = self._settings["TRUSTED_HOSTS"][0].lstrip(".")
        return self._application(environ, start_response)


def _to_https() -> Response | None:
    # A platform's health checks come from inside, over http.
    if request.is_secure or request.path in HEALTH_CHECKS:
        return None
    return redirect(request.url.replace("http://", "https://", 1), code=308)
