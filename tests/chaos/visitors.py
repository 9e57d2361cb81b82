"""People who sign up through the web, one after the other, during the faults."""

import http.client
import random
import re
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

CSRF_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
PAUSE_SECONDS = 0.15


@dataclass
class Visit:
    """One sign-up: whether the site accepted it, and how long its slower page took."""

    email: str
    accepted: bool
    slowest_seconds: float
    at: float = field(default_factory=time.monotonic)


class Visitors:
    """Sign up in two threads until stopped."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._stopped = threading.Event()
        self.visits: list[Visit] = []
        self._threads = [threading.Thread(target=self._keep_coming, args=(number,)) for number in range(2)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads and wait for them."""
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def accepted(self) -> list[str]:
        """Return the email addresses that were told to expect an email."""
        return [visit.email for visit in self.visits if visit.accepted]

    def slowest_seconds(self, since: float, until: float) -> float:
        """Return the time of the slowest page among the visits that ended in this period."""
        return max((visit.slowest_seconds for visit in self.visits if since <= visit.at <= until), default=0.0)

    def _keep_coming(self, number: int) -> None:
        count = 0
        while not self._stopped.is_set():
            count += 1
            self.visits.append(self._sign_up(f"visitor-{number}-{count}@example.com"))
            time.sleep(PAUSE_SECONDS)

    def _sign_up(self, email: str) -> Visit:
        address = ".".join(str(self._random.randrange(1, 255)) for _ in range(4))
        slowest = 0.0
        try:
            started_at = time.monotonic()
            page, cookie = self._request("GET", address, "", "")
            slowest = time.monotonic() - started_at
            token = CSRF_TOKEN.search(page[1])
            if page[0] != 200 or token is None:
                return Visit(email, False, slowest)
            form = {
                "csrf_token": token[1],
                "first_name": "Ada",
                "last_name": "Wren",
                "email": email,
                "password": "seven-blue-teapots-sing",
                "password2": "seven-blue-teapots-sing",
            }
            started_at = time.monotonic()
            page, _ = self._request("POST", address, urlencode(form), cookie)
            return Visit(email, page[0] == 302, max(slowest, time.monotonic() - started_at))
        except (OSError, http.client.HTTPException):
            return Visit(email, False, slowest)

    def _request(self, method: str, address: str, body: str, cookie: str) -> tuple[tuple[int, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"X-Forwarded-For": address, "Cookie": cookie}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, "/account/register", body or None, headers)
            answer = connection.getresponse()
            cookie = (answer.headers.get("Set-Cookie") or "").split(";")[0]
            return (answer.status, answer.read().decode()), cookie
        finally:
            connection.close()
