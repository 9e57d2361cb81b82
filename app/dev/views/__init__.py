"""The views of the developer's area."""

import app.dev.views.components
import app.dev.views.emails
import app.dev.views.mailbox  # noqa: F401
