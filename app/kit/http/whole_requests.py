"""WSGI middleware that calls the application only after the whole request has arrived.

A server that keeps thousands of connections open (gunicorn's gevent worker, see gunicorn.conf.py) can wait for
slow clients. The application cannot: a view that reads a slow form holds a database connection meanwhile, and some
dozens of such forms would use up all of them.
"""

from collections.abc import Callable, Iterable
from io import RawIOBase
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import IO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PIECE_BYTES = 16 * 1024
# Hundreds of bodies can arrive at once: larger ones are buffered on disk.
KEPT_IN_MEMORY_BYTES = 64 * 1024


class WholeRequests:
    """Calls ``application`` with complete bodies, and at most ``at_once`` times in parallel.

    A body of more bytes than ``largest_body`` returns for its request is passed on unread: the application refuses
    it, or reads it itself.
    """

    def __init__(
        self, application: WSGIApplication, at_once: int, largest_body: Callable[[WSGIEnvironment], int]
    ) -> None:
        self._application = application
        self._turns = BoundedSemaphore(at_once)
        self._largest_body = largest_body

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Read the body, then call the application."""
        if _has_body(environ) and _announced_bytes(environ) <= (largest := self._largest_body(environ)):
            environ["wsgi.input"] = _read(environ["wsgi.input"], largest)
        with self._turns:
            return self._application(environ, start_response)


def _has_body(environ: WSGIEnvironment) -> bool:
    return bool(environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"))


def _announced_bytes(environ: WSGIEnvironment) -> int:
    length = environ.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _read(stream: IO[bytes], largest_body: int) -> IO[bytes] | RawIOBase:
    """Return the body as a file; one that cannot be read raises its error again in the application."""
    body = SpooledTemporaryFile(KEPT_IN_MEMORY_BYTES)  # noqa: SIM115 - closed when the request is garbage collected
    missing = largest_body + 1  # one byte more, which shows the application that it is too large
    try:
        while missing > 0 and (piece := stream.read(min(PIECE_BYTES, missing))):
            body.write(piece)
            missing -= len(piece)
    except OSError as error:
        body.close()
        if isinstance(error, ConnectionError):  # the client is gone
            raise
        return _Broken(error)
    body.seek(0)
    return body


class _Broken(RawIOBase):
    """A body that could not be read; reading it raises the server's error, as it would without this middleware."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise self._error
