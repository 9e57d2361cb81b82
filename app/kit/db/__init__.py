"""The base class of the models, the session, UTC times, row locks, actions after a commit, and migrations.

May import core.
"""
