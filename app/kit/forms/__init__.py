"""The parent of every form, the fields that mean the same in each, and how they are drawn.

May import core, db, http, auth and pages.
"""
