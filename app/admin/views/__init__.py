"""The views of the admin area, one module for each part of its menu."""

import app.admin.views.audit
import app.admin.views.content
import app.admin.views.dashboard
import app.admin.views.emails
import app.admin.views.jobs
import app.admin.views.user_changes
import app.admin.views.users  # noqa: F401
