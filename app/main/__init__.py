"""The main area: the public pages, and the files for browsers, search engines and monitors."""

from app.areas import Area
from app.main import views
from app.main.blueprint import main

# The public pages, for search engines.
area = Area(main, sitemap=["main.index", "main.about", "account.login", "account.register"])
