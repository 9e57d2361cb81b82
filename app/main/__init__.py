"""What anyone may see: the landing page, the editable page, and what machines ask a site for."""

from app.areas import Area
from app.main import views
from app.main.blueprint import main

__all__ = ["area", "main", "views"]

# The pages that a search engine should know; every other page is for somebody in particular.
area = Area(main, sitemap=["main.index", "main.about", "account.login", "account.register"])
