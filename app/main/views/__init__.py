"""The pages for anyone, what machines ask a site for, and its health."""

from app.main.views import health, pages, site_files, well_known

__all__ = ["health", "pages", "site_files", "well_known"]
