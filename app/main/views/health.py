"""The endpoints for load balancers and monitors; see docs/operations.md."""

from flask import Response, abort, jsonify, request

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
