"""The account area: signing up, logging in, and managing one's own account."""

from app.account import views
from app.account.blueprint import account
from app.areas import Area

__all__ = ["account", "area", "views"]

area = Area(account, url_prefix="/account")
