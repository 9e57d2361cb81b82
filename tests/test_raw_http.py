"""Malformed requests, byte by byte, to a real gunicorn: each gets a 4xx, and the server continues."""

import re
import socket
from contextlib import suppress

import pytest

from tests.servers.web import WebServer

STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)
POST = b"POST /account/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: {host}\r\n"
SMUGGLED = b"GET /up HTTP/1.1\r\nHost: {host}\r\n\r\n"

# Bodies of chunked requests; the bytes after a refused one must never be parsed as a second request (smuggling).
BAD_CHUNKS = {
    "a size that is no number": b"zz\r\na=b\r\n0\r\n\r\n",
    "a negative size": b"-1\r\na=b\r\n0\r\n\r\n",
    "no size": b"\r\na=b\r\n0\r\n\r\n",
    "a chunk without an end": b"3\r\na=bXX0\r\n\r\n",
    "a size beyond all bodies": b"FFFFFFFFFFFFFFFFFFFF\r\na=b",
    "NUL in an extension": b"3;\x00=\r\na=b\r\n0\r\n\r\n",
    "a line for a trailer": b"3\r\na=b\r\n0\r\nno trailer\r\n\r\n",
    "a length for a trailer": b"3\r\na=b\r\n0\r\nContent-Length: 5\r\n\r\n",
}
REFUSED = {
    "a body shorter than its length": POST + b"Content-Length: 9\r\n\r\na=b",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\na=bc",
    "length and chunks": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a negative length": POST + b"Content-Length: -3\r\n\r\na=b",
    "a length in other digits": POST + "Content-Length: ٣\r\n\r\na=b".encode(),
    "chunks in HTTP/1.0": CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n",
    "an expectation": POST + b"Expect: wonders\r\nContent-Length: 3\r\n\r\na=b",
    "a huge header": GET + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n",
    "five hundred headers": GET + b"X-A: a\r\n" * 500 + b"\r\n",
    "NUL in a header": GET + b"User-Agent: a\x00b\r\n\r\n",
    "a folded header": GET + b"X-A: a\r\n b\r\n\r\n",
    "a blank before a colon": b"GET / HTTP/1.1\r\nHost : {host}\r\n\r\n",
    "two hosts": GET + b"Host: evil.example\r\n\r\n",
    "a foreign host": b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "half an address as host": b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "a port beyond all ports": b"GET / HTTP/1.1\r\nHost: 127.0.0.1:99999999\r\n\r\n",
    "half an address as target": b"GET http://[::1/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "another server to connect to": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "no path": b"GET up HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "NUL in the path": b"GET /a\x00b HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "bytes in the path": b"GET /\xff\xe4 HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "broken percent signs": b"GET /%00%ff%zz?%00=%ff%zz HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a file outside": b"GET /static/..%2f..%2fconfig.py HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a long path": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/3.0": b"GET / HTTP/3.0\r\nHost: {host}\r\n\r\n",
    "HTTP/2 unasked": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "line feeds alone": b"GET /up HTTP/1.1\nHost: {host}\n\n",
    "a method in other letters": b"G\xe4T / HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a method of one's own": b"BREW / HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a proxy's line": b"PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\nGET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 50 + b"\r\n\r\n",
    **{f"a chunked body with {what}": CHUNKED + body + SMUGGLED for what, body in BAD_CHUNKS.items()},
}
HARMLESS = {
    "no host": b"GET / HTTP/1.0\r\n\r\n",
    "the whole address as target": b"GET http://evil.example/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "bytes in a cookie": GET + b"Cookie: \xff\xfe=\xff; session=\xff;;;=\r\n\r\n",
    "bytes for a browser": GET + b"User-Agent: " + bytes(range(128, 256)) + b"\r\n\r\n",
}


@pytest.fixture
def server(production_server: WebServer) -> WebServer:
    """Return a production site with one worker: if a request breaks it, the next one fails."""
    return production_server


def statuses(server: WebServer, request: bytes) -> list[int]:
    """Return the status of each response to these bytes."""
    return [int(status) for status in STATUS.findall(answer_to(server, request))]


def answer_to(server: WebServer, request: bytes) -> bytes:
    """Return what the server sends for these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request.replace(b"{host}", f"127.0.0.1:{server.port}".encode()))
        # A server that refused the request may have closed the connection already.
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while received := connection.recv(65536):
                answer += received
        except ConnectionResetError:  # it closed the connection without reading all of it
            pass
    return answer


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_request_is_the_clients_mistake(server: WebServer, kind: str) -> None:
    answers = statuses(server, REFUSED[kind])
    assert len(answers) <= 1, "what came behind was read as another request"
    assert all(400 <= status < 500 for status in answers)
    assert statuses(server, SMUGGLED) == [200]


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_is_odd_and_clear_is_answered(server: WebServer, kind: str) -> None:
    assert statuses(server, HARMLESS[kind]) == [200]


def test_an_unknown_encoding_is_the_one_501(server: WebServer) -> None:
    """RFC 9112, 6.1: a server that does not understand a transfer coding responds with 501."""
    answers = statuses(server, POST + b"Transfer-Encoding: riddles\r\n\r\n0\r\n\r\n" + SMUGGLED)
    assert answers == [501]
    assert statuses(server, SMUGGLED) == [200]


def test_chunks_that_are_whole_are_read(server: WebServer) -> None:
    """The form is parsed as far as its CSRF token, which is missing."""
    whole = answer_to(server, CHUNKED + b"3\r\na=b\r\n0\r\n\r\n")
    broken = answer_to(server, CHUNKED + BAD_CHUNKS["no size"])
    assert [b"This form has expired" in answer for answer in (whole, broken)] == [True, False]
