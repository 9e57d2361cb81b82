"""The parent of the models, the session, moments in UTC, row locks, actions after a commit, and migrations.

May import core.
"""
