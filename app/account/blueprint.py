"""The blueprint of the account area, which is for users unless a view says otherwise."""

from flask import Blueprint

from app.access import USERS, access

account = access(USERS)(Blueprint("account", __name__))
