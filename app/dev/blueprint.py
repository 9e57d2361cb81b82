"""The blueprint of the developer's area, which needs no login."""

from flask import Blueprint

from app.access import ANYONE, access
from app.dev.email_frame import SANDBOX

dev = access(ANYONE)(Blueprint("dev", __name__))
dev.context_processor(lambda: {"sandbox": SANDBOX})
