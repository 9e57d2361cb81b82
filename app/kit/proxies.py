"""Standing behind a proxy: whose word to take for a visitor's address, and only https."""

from flask import Flask, redirect, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response


def init_app(app: Flask) -> None:
    """Trust as many X-Forwarded headers as there are proxies, and lead http visitors to https.

    Without a proxy nobody may say whose request it is: anyone could pass any limit by naming
    another address.
    """
    count = app.config["PROXY_COUNT"]
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    if not app.config["SSL_DISABLE"]:
        app.before_request(_to_https)


def _to_https() -> Response | None:
    # The health checks of a platform come from inside, over http.
    if request.is_secure or request.path.startswith("/up"):
        return None
    return redirect(request.url.replace("http://", "https://", 1), code=308)
