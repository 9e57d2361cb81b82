"""HTTP around the views: caching, security headers, proxies, redirects, static files, URLs and links.

May import core.
"""
