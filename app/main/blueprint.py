"""The blueprint of the main area; each view that is for anyone says so."""

from flask import Blueprint

main = Blueprint("main", __name__)
