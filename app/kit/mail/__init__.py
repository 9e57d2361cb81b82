"""The catalog of emails, the outbox that loses none, SMTP, and the mailbox of development.

May import core and db.
"""
