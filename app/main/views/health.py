"""The endpoints for load balancers, monitors and Prometheus; see docs/operations.md."""

import hmac

from flask import Response, abort, current_app, jsonify, request

from app import health, outside_view
from app.access import ANYONE, access
from app.main.blueprint import main


@main.get("/up")
@access(ANYONE)
def up() -> Response:
    """Return 200 without using the database or Redis: the process is alive."""
    return Response("up\n", mimetype="text/plain")


@main.get("/up/doctor")
@access(ANYONE)
def up_doctor() -> Response:
    """Return what the site sees of a request by ``manage.py doctor``, which proves that it has our key; else 404."""
    answer = outside_view.answer(request)
    return Response(answer, mimetype="text/plain", headers={"Cache-Control": "no-store"}) if answer else abort(404)


@main.get("/up/ready")
@access(ANYONE)
def up_ready() -> tuple[Response, int]:
    """Return 200 if every check passes, else 503 with the names of those that fail.

    The page is public, so it shows only names: versions or addresses would help an attacker.
    """
    failing = [check.name for check in health.checks() if check.is_vital and not check.ok]
    response = jsonify(ready=not failing, failing=failing)
    response.headers["Cache-Control"] = "no-store"
    return response, 503 if failing else 200


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
