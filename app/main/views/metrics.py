"""The page for Prometheus; see docs/operations.md."""

import hmac

from flask import Response, abort, current_app, request

from app.access import ANYONE, access
from app.main.blueprint import main


@main.get("/metrics")
@access(ANYONE)
def metrics_page() -> Response:
    """Return the metrics for who has METRICS_TOKEN. For everybody else, and while it is not set, there is no page."""
    token = current_app.config["METRICS_TOKEN"]
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    # A comparison that takes as long for a wrong first character as for a wrong last one.
    if not token or not hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), token.encode()):
        abort(404)
    # Imported here: a site without a token never loads Prometheus' library.
    from app import monitoring

    content, content_type = monitoring.page()
    return Response(content, content_type=content_type, headers={"Cache-Control": "no-store"})
