"""Authentication and rate limits: passwords, email addresses, tokens, CSRF, and asking for the password again.

May import core, db and http.
"""
