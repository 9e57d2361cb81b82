"""Where a request comes from, in the words of a notice."""

from flask import request

from app.kit.auth.user_agent import browser_label


def request_details() -> dict[str, str]:
    """Return the IP address and the browser of the running request, for a notice by email."""
    return {
        "ip_address": request.remote_addr or "",
        "browser": browser_label(request.user_agent.string),
    }
