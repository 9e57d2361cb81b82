"""The admin area: looking after everyone else.

The area is closed: a view is for administrators unless it says with ``needs`` (access.py) which
smaller permission opens it.
"""

from flask import Blueprint

from app.admin.access import check_access, menu

admin = Blueprint("admin", __name__)
admin.before_request(check_access)
admin.context_processor(lambda: {"admin_menu": menu()})

from app.admin import views  # noqa: E402, F401 - the views need the blueprint
