"""The admin area: looking after everyone else."""

from app.admin import views
from app.admin.blueprint import admin

__all__ = ["admin", "views"]
