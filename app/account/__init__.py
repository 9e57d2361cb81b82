"""The account area: joining, signing in, and looking after one's own account."""

from app.account import views
from app.account.blueprint import account

__all__ = ["account", "views"]
