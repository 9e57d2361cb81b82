"""The blueprint of the admin area. Its views name their permissions; a view without one is for administrators."""

from flask import Blueprint

from app.access import access
from app.models import Permission

admin = access(Permission.ADMINISTER)(Blueprint("admin", __name__))
