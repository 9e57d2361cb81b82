"""The developer's area: sent mail, email previews, and the parts pages are made of.

It shows everybody's mail and asks nobody who they are, so production never registers it.
"""

from app.areas import Area
from app.dev import views
from app.dev.blueprint import dev

__all__ = ["area", "dev", "views"]

area = Area(dev, url_prefix="/dev")
