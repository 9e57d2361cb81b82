"""The views of the admin area, one module for each topic."""

from app.admin.views import (
    audit,
    bulk_tasks,
    content,
    dashboard,
    emails,
    impersonation,
    jobs,
    pages,
    roles,
    user_changes,
    users,
)
