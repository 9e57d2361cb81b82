"""The blueprint of the account area. Its views are for confirmed users unless they set another rule."""

from flask import Blueprint

from app.access import USERS, access

account = access(USERS)(Blueprint("account", __name__))
