"""The developer's area: sent mail, email previews, and the components of pages.

It shows everybody's mail without a login, so production never registers it.
"""

from app.areas import Area
from app.dev import views
from app.dev.blueprint import dev

area = Area(dev, url_prefix="/dev")
