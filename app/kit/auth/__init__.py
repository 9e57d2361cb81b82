"""Who somebody is, and how often they may try: passwords, addresses, tokens, CSRF, sudo, rate limits.

May import core, db and http.
"""
