"""Behind a proxy: which client address to trust, and redirects to https."""

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


def _to_https() -> Response | None:
    # A platform's health checks come from inside, over http.
    if request.is_secure or request.path in HEALTH_CHECKS:
        return None
    return redirect(request.url.replace("http://", "https://", 1), code=308)
