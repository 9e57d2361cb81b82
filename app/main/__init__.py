"""What anyone may see: the landing page, the editable page, and what machines ask a site for."""

from app.main import views
from app.main.blueprint import main

__all__ = ["main", "views"]
