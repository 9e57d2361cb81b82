"""URLs for emails and for what is read without a browser."""

from urllib.parse import urlsplit

from flask import current_app


def external_url(endpoint: str, **values: object) -> str:
    """Return the full URL of an endpoint, on the site that BASE_URL names.

    The request is not used: a forged Host header would put the URL of an attacker's site into our emails, or into
    what crawlers store.
    """
    parts = urlsplit(current_app.config["BASE_URL"])
    adapter = current_app.url_map.bind(parts.netloc, script_name=parts.path or "/", url_scheme=parts.scheme)
    return adapter.build(endpoint, values, force_external=True)
