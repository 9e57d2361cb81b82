"""The admin area's pages, one module for each part of its menu."""

from app.admin.views import audit, content, dashboard, emails, jobs, user_changes, users

__all__ = ["audit", "content", "dashboard", "emails", "jobs", "user_changes", "users"]
