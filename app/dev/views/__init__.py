"""The views of the developer's area."""

from app.dev.views import components, emails, mailbox, migrations

__all__ = ["components", "emails", "mailbox", "migrations"]
