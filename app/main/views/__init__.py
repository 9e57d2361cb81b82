"""The views of the main area, one module for each topic."""

from app.main.views import health, pages, site_files
