"""The account area: signing up, logging in, and managing one's own account."""

from app.account import views
from app.account.blueprint import account
from app.areas import Area
from app.pictures import export_picture

area = Area(account, url_prefix="/account", export=export_picture)
