"""What a load balancer or a monitor asks; see docs/deploy.md."""

from flask import Response, jsonify

from app import health
from app.access import ANYONE, access
from app.main.blueprint import main


@main.get("/up")
@access(ANYONE)
def up() -> Response:
    """Return that the process is alive, without touching anything else."""
    return Response("up\n", mimetype="text/plain")


@main.get("/up/ready")
@access(ANYONE)
def up_ready() -> tuple[Response, int]:
    """Return 200 when every part works, else 503 with the names of those that do not.

    Only names: strangers read this, and a version or an address would help them.
    """
    failing = [check.name for check in health.checks() if not check.ok]
    response = jsonify(ready=not failing, failing=failing)
    response.headers["Cache-Control"] = "no-store"
    return response, 503 if failing else 200
