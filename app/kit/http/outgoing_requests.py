"""Requests to other sites that end in time: at most five seconds and a quarter megabyte, and no redirects.

Import it where it is used: ``requests`` takes 6 MiB.
"""

from io import BytesIO
from time import monotonic

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPResponse
from urllib3.exceptions import HTTPError

SECONDS = 5
MAX_BYTES = 256 * 1024
CHUNK_BYTES = 16 * 1024


def limit(session: Session) -> None:
    """Limit every request of ``session``. They raise exceptions of requests or urllib3 beyond them."""
    # A redirect could lead to an address inside of our network.
    session.max_redirects = 0
    # A small compressed response can become a large one.
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("https://", "http://"):
        session.mount(scheme, _LimitedAdapter())


class _LimitedAdapter(HTTPAdapter):
    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> Response:
        """Send the request. This time limit is for each read; ``_read`` stops who sends a byte now and then."""
        return super().send(request, stream, SECONDS, verify, cert, proxies)

    def build_response(self, req: PreparedRequest, resp: BaseHTTPResponse) -> Response:
        """Return the response with its whole body, within the limits."""
        body = BytesIO(_read(resp))
        copy = HTTPResponse(body, headers=resp.headers, status=resp.status, reason=resp.reason, preload_content=False)
        return super().build_response(req, copy)


def _read(response: BaseHTTPResponse) -> bytes:
    deadline, content = monotonic() + SECONDS, b""
    try:
        while chunk := response.read1(CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_BYTES:
                raise HTTPError(f"more than {MAX_BYTES} bytes")
            if monotonic() > deadline:
                raise HTTPError(f"more than {SECONDS} seconds")
    finally:
        response.close()
    return content
