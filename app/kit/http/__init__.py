"""What surrounds a view: security headers, proxies, redirects, static files, URLs and links.

May import core.
"""
