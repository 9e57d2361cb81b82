"""Standing behind a proxy: whose word to take for a visitor's address, and only https."""

from flask import Flask, redirect, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

HEALTH_CHECKS = {"/up", "/up/ready"}


def init_app(app: Flask) -> None:
    """Trust as many X-Forwarded headers as there are proxies, and lead http visitors to https.

    Without a proxy nobody may say whose request it is: anyone could pass any limit by naming
    another address.
    """
    count = app.config["PROXY_COUNT"]
    if count:
        # Each proxy appends to X-Forwarded-For; X-Forwarded-Proto is set anew by the nearest one.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=1, x_host=0)  # type: ignore[method-assign]
    if not app.config["SSL_DISABLE"]:
        app.before_request(_to_https)


def _to_https() -> Response | None:
    # The health checks of a platform come from inside, over http.
    if request.is_secure or request.path in HEALTH_CHECKS:
        return None
    return redirect(request.url.replace("http://", "https://", 1), code=308)
