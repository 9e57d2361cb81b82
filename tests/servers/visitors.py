"""Visitors who look at one page after the other, and note each one that fails or comes without style."""

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus

# A restart takes longer. Without any, four visitors keep two cores busy.
PAUSE_SECONDS = 0.03
STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)"')


class Visitors:
    """Loads pages and their style sheets through a proxy for ``host``, each visitor in a thread."""

    def __init__(self, host: str, port: int, trust: ssl.SSLContext, pages: list[str]) -> None:
        self.failed: list[str] = []
        self.styles: set[str] = set()
        self.requests = 0
        self._host, self._port, self._trust, self._pages = host, port, trust, pages
        self._counting = threading.Lock()

    def visit_until(self, stop: threading.Event) -> None:
        """Look at one page after the other."""
        while not stop.is_set():
            for page in self._pages:
                found = STYLE.search(self._load(page))
                if found is None:
                    self.failed.append(f"{page} has no style")
                elif "{" not in self._load(found[1]):
                    self.failed.append(f"{found[1]} is empty")
                else:
                    self.styles.add(found[1])
                stop.wait(PAUSE_SECONDS)

    def _load(self, path: str) -> str:
        with self._counting:
            self.requests += 1
        try:
            plain = socket.create_connection(("127.0.0.1", self._port), timeout=30)
            with closing(http.client.HTTPConnection(self._host)) as connection:
                connection.sock = self._trust.wrap_socket(plain, server_hostname=self._host)
                connection.request("GET", path)
                answer = connection.getresponse()
                text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.failed.append(f"{path}: {error!r}")
            return ""
        if answer.status != HTTPStatus.OK:
            self.failed.append(f"{path}: {answer.status}")
        return text


@contextmanager
def visiting(visitors: Visitors, count: int) -> Iterator[None]:
    """Let ``count`` visitors look at pages until the block ends."""
    stop = threading.Event()
    threads = [threading.Thread(target=visitors.visit_until, args=[stop]) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
