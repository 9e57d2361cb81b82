"""The developer's area: sent mail, email previews, and the parts pages are made of.

It shows everybody's mail and asks nobody who they are, so production never registers it.
"""

from flask import Blueprint

from app.dev.email_frame import SANDBOX

dev = Blueprint("dev", __name__)
dev.context_processor(lambda: {"sandbox": SANDBOX})

from app.dev import views  # noqa: E402, F401 - the views need the blueprint
