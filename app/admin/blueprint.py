"""The blueprint of the admin area, which is for administrators unless a view names a smaller permission."""

from flask import Blueprint

from app.access import access
from app.models import Permission

admin = access(Permission.ADMINISTER)(Blueprint("admin", __name__))
