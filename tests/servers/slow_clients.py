"""Clients that keep connections open: they send nothing, or a byte now and then."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from statistics import median

HEADERS_BEGIN = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
FORM_HEADERS = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n"
BYTE_EVERY_SECONDS = 0.5
OPEN_IN_SECONDS = 60
# So many responses fill the server's buffers too.
QUESTIONS = 400


class SlowClients:
    """Connections to one port, each of which sends a byte every half second."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connections: list[socket.socket] = []
        self._fed: list[socket.socket] = []

    def open(self, count: int, first_bytes: bytes = b"", trickle: bool = True) -> None:
        """Open ``count`` connections that send ``first_bytes``; with ``trickle`` more bytes follow slowly."""
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=OPEN_IN_SECONDS)
            self._connections.append(connection)
            connection.sendall(first_bytes)
            connection.setblocking(False)
            if trickle:
                self._fed.append(connection)

    def ask_without_reading(self, count: int, path: str, address: str) -> None:
        """Open connections that request a page again and again and never read the responses."""
        question = f"GET {path} HTTP/1.1\r\nHost: {address.partition('//')[2]}\r\n\r\n".encode()
        for _ in range(count):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", self._port))
            connection.sendall(question * QUESTIONS)
            connection.setblocking(False)
            self._connections.append(connection)

    def feed(self) -> None:
        """Send one more byte on each connection that is slow rather than idle."""
        for connection in self._fed:
            with suppress(OSError):
                connection.sendall(b"a")

    def open_now(self) -> int:
        """Return the number of connections that the server has not closed."""
        return sum(_is_open(connection) for connection in self._connections)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()


def slow_headers(clients: SlowClients, count: int) -> None:
    """Open connections whose headers never end."""
    clients.open(count, HEADERS_BEGIN)


def slow_bodies(clients: SlowClients, count: int, path: str, address: str) -> None:
    """Open connections that announce a form of 100 kB and send it byte by byte."""
    host = address.partition("//")[2]
    clients.open(count, f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{FORM_HEADERS}\r\n".encode())


def idle(clients: SlowClients, count: int) -> None:
    """Open connections that send nothing at all."""
    clients.open(count, trickle=False)


@contextmanager
def slow_clients(port: int) -> Iterator[SlowClients]:
    """Yield clients that send in the background, and close them at the end of the block."""
    clients, stop = SlowClients(port), threading.Event()

    def feed_until_stopped() -> None:
        while not stop.wait(BYTE_EVERY_SECONDS):
            clients.feed()

    feeder = threading.Thread(target=feed_until_stopped)
    with ExitStack() as cleanup:
        cleanup.callback(clients.close)
        cleanup.callback(feeder.join)
        cleanup.callback(stop.set)
        feeder.start()
        yield clients


def median_answer_seconds(port: int, path: str, visits: int) -> float:
    """Return the median time in seconds of ``visits`` in a row, each on its own connection."""
    return median(_visit_seconds(port, path) for _ in range(visits))


def _visit_seconds(port: int, path: str) -> float:
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    finally:
        connection.close()
    return time.monotonic() - started


def _is_open(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
