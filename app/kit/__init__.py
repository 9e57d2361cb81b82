"""Code that does not depend on this application.

Modules here import nothing from ``app`` except ``app.kit``, so a fork can update the kit by copying the folder.
"""
