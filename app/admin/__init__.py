"""The admin area: looking after everyone else."""

from app.admin import views
from app.admin.blueprint import admin
from app.areas import Area

__all__ = ["admin", "area", "views"]

area = Area(admin, url_prefix="/admin")
