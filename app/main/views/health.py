"""The endpoints for load balancers and monitors; see docs/deploy.md."""

from flask import Response, jsonify

from app import health
from app.access import ANYONE, access
from app.main.blueprint import main


@main.get("/up")
@access(ANYONE)
def up() -> Response:
    """Return 200 without using the database or Redis: the process is alive."""
    return Response("up\n", mimetype="text/plain")


@main.get("/up/ready")
@access(ANYONE)
def up_ready() -> tuple[Response, int]:
    """Return 200 if every check passes, else 503 with the names of those that fail.

    The page is public, so it shows only names: versions or addresses would help an attacker.
    """
    failing = [check.name for check in health.checks() if not check.ok]
    response = jsonify(ready=not failing, failing=failing)
    response.headers["Cache-Control"] = "no-store"
    return response, 503 if failing else 200
