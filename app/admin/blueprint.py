"""The blueprint of the admin area. Its views are for administrators unless they name another permission."""

from flask import Blueprint

from app.access import access
from app.models import Permission

admin = access(Permission.ADMINISTER)(Blueprint("admin", __name__))
