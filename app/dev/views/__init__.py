"""The views of the developer's area."""

from app.dev.views import components, emails, mailbox, migrations
