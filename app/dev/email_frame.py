"""An email's HTML as a page of its own, to stand in a frame."""

from flask import Response

# A mail program shows style attributes and runs no script; neither does this page. Its links lead the
# whole window away, so that one can click through what the mail asks for.
SANDBOX = "allow-same-origin allow-top-navigation-by-user-activation"
POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox {SANDBOX}"
)
LINKS_LEAVE_THE_FRAME = '<base target="_top">'


def framed_html(html: str) -> Response:
    """Return ``html`` under a policy of its own, to be framed by our own pages only."""
    response = Response(_with_links_to_the_top(html))
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _with_links_to_the_top(html: str) -> str:
    before, head, after = html.partition("<head>")
    return f"{before}{head}{LINKS_LEAVE_THE_FRAME}{after}" if head else f"{LINKS_LEAVE_THE_FRAME}{html}"
