"""The tools behind `manage.py dev` and `manage.py test`, which run the whole site on one machine.

The web application does not import them, and production does not install their packages.
"""
