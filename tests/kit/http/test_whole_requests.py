"""Tests for the middleware that reads whole requests, so that a slow client does not block the application."""

import io
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from app.kit.http.whole_requests import WholeRequests
from tests.servers.waiting import in_threads, wait_until

LARGEST = 100_000


class SlowBody(io.RawIOBase):
    """A body that arrives in pieces; ``finished`` is true once it was read to the end."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.finished = False

    def read(self, _size: int = -1) -> bytes:
        self.finished = not self.pieces
        return self.pieces.pop(0) if self.pieces else b""


def echo(environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
    with environ["wsgi.input"] as body:
        return [body.read()]


def ask(application: Any, body: Any, **headers: str) -> bytes:
    guarded = WholeRequests(application, at_once=2, largest_body=lambda _environ: LARGEST)
    return b"".join(guarded({"wsgi.input": body, **headers}, None))


@pytest.mark.parametrize("headers", [{"CONTENT_LENGTH": "4"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_the_application_starts_when_the_body_is_there(headers):
    body = SlowBody(b"ab", b"cd")

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert body.finished
        return echo(environ, start_response)

    assert ask(application, body, **headers) == b"abcd"


def test_a_body_over_the_limit_is_the_applications_to_refuse():
    announced = SlowBody(b"a" * 10)
    ask(lambda environ, _: [b""], announced, CONTENT_LENGTH=str(LARGEST + 1))
    assert announced.pieces

    endless = SlowBody(*[b"a" * 10_000] * 1000)
    assert len(ask(echo, endless, HTTP_TRANSFER_ENCODING="chunked")) > LARGEST
    assert endless.pieces


def test_a_broken_body_is_broken_in_the_application_too():
    class Broken(SlowBody):
        def read(self, _size: int = -1) -> bytes:
            raise OSError("bad chunk")

    def application(environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
        with pytest.raises(OSError, match="bad chunk"):
            environ["wsgi.input"].read()
        return [b"answered"]

    assert ask(application, Broken(), HTTP_TRANSFER_ENCODING="chunked") == b"answered"


def test_no_more_requests_than_allowed_are_in_the_application_at_once():
    inside, most, release = [], [], threading.Event()

    def application(_environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
        inside.append(1)
        most.append(len(inside))
        release.wait(10)
        inside.pop()
        return []

    guarded = WholeRequests(application, at_once=2, largest_body=lambda _environ: LARGEST)
    visitors = threading.Thread(target=lambda: in_threads(6, lambda: guarded({}, None)))
    visitors.start()
    wait_until(lambda: len(inside) == 2)
    release.set()
    visitors.join()

    assert len(most) == 6
    assert max(most) == 2
