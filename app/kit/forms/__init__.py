"""The base class of forms, common fields, validation, and the HTML of forms.

May import core, db, http, auth and pages.
"""
