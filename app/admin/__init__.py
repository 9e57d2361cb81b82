"""The admin area: users, emails, jobs, the audit log and editable pages."""

from app.admin import jobs, views
from app.admin.blueprint import admin
from app.areas import Area

area = Area(admin, url_prefix="/admin", schedule=jobs.schedule)
