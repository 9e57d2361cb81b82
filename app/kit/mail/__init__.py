"""The email catalog, the outbox, SMTP, and the development mailbox.

May import core and db.
"""
