"""The origin of a request, for notices by email."""

from flask import request

from app.kit.auth.user_agent import browser_label


def request_details() -> dict[str, str]:
    """Return the IP address and the browser of the current request."""
    return {
        "ip_address": request.remote_addr or "",
        "browser": browser_label(request.user_agent.string),
    }
