"""The parent of every form, and the fields that mean the same in each.

May import core, db, http and auth.
"""
