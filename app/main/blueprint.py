"""The blueprint of the main area. Each public view has ``@access(ANYONE)``."""

from flask import Blueprint

main = Blueprint("main", __name__)
