"""What anyone may see: the landing page, the editable page, and what machines ask a site for."""

from flask import Blueprint

main = Blueprint("main", __name__)

from app.main import health, machines, views, well_known  # noqa: E402, F401
