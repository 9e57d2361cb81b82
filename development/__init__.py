"""Runs the whole site on one machine, for `manage.py dev` and `manage.py test --postgres`.

Nothing here is imported by the web application; its packages are not installed in production.
"""
