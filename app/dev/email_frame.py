"""An email's HTML as a page of its own, to be shown in a frame."""

from flask import Response

# Like a mail program, the page applies style attributes and runs no scripts. Its links open in the
# whole window, so that a developer can follow them.
SANDBOX = "allow-same-origin allow-top-navigation-by-user-activation"
POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox {SANDBOX}"
)
LINKS_LEAVE_THE_FRAME = '<base target="_top">'


def framed_html(html: str) -> Response:
    """Return ``html`` with its own content security policy, which allows only our own pages to frame it."""
    response = Response(_with_links_to_the_top(html))
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _with_links_to_the_top(html: str) -> str:
    before, head, after = html.partition("<head>")
    return f"{before}{head}{LINKS_LEAVE_THE_FRAME}{after}" if head else f"{LINKS_LEAVE_THE_FRAME}{html}"
