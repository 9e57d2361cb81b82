"""The admin area: users, emails, jobs, the audit log and editable pages."""

from app.admin import jobs, views
from app.admin.blueprint import admin
from app.areas import Area

__all__ = ["admin", "area", "views"]

area = Area(admin, url_prefix="/admin", schedule=jobs.schedule)
