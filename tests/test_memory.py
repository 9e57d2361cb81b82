"""Requests of attackers do not make a web process grow."""

import http.client
import random
import re
import string
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import psutil
import pytest
from flask import Flask

from tests.servers import create_database, migrate
from tests.servers.redis import free_port
from tests.servers.web import WebServer, production_environment, start_gunicorn

MEBIBYTE = 2**20
REQUESTS = 2_000
FORM = "application/x-www-form-urlencoded"
# Each kind of request with its share of all.
SHARES = {"_address": 75, "_login": 8, "_registration": 5, "_many_fields": 4, "_parts": 4, "_large_field": 4}


@pytest.fixture
def server(app: Flask, redis_url: str) -> Iterator[WebServer]:
    """Yield the site under gunicorn with one worker, behind a proxy; ``app`` builds its assets."""
    port = free_port()
    with create_database() as database:
        variables = {**production_environment(database, redis_url, port), "WEB_CONCURRENCY": "1", "PROXY_COUNT": "1"}
        migrate(variables)
        with start_gunicorn("app:create_app()", variables, port=port, path="/up") as server:
            yield server


class Attacker:
    """Sends random requests, each from another IP address."""

    def __init__(self, port: int) -> None:
        self.answers: list[int] = []
        self._random = random.Random(1)  # noqa: S311 - the same requests each time
        self._port = port
        page, headers = self._ask("GET", "/account/login", cookie="")
        self._cookie = headers["Set-Cookie"].partition(";")[0]
        self._token = re.findall(rb'name="csrf_token"[^>]*value="([^"]+)"', page)[0].decode()

    def send(self, count: int) -> None:
        kinds: list[Callable[[], None]] = [getattr(self, name) for name in SHARES]
        for kind in self._random.choices(kinds, list(SHARES.values()), k=count):
            kind()

    def _address(self) -> None:
        self._ask("GET", f"/{self._word()}/{self._word(60)}?{self._word()}={self._word()}")

    def _login(self) -> None:
        self._submit("/account/login", email=self._email(), password=self._word(20))

    def _registration(self) -> None:
        names = {"first_name": self._word(), "last_name": self._word(), "email": self._email()}
        self._submit("/account/register", **names, password=self._word(40), password2="different")

    def _many_fields(self) -> None:
        self._ask("POST", "/account/login", "&".join(f"{self._word(4)}=x" for _ in range(5_000)))

    def _large_field(self) -> None:
        self._submit("/account/login", email=self._email(), password=self._word(100) * 4_000)

    def _parts(self) -> None:
        part = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}'
        parts = [part.format(self._word(), self._word(300)) for _ in range(150)]
        body = "--b\r\n" + "\r\n--b\r\n".join(parts) + "\r\n--b--\r\n"
        self._ask("POST", "/account/login", body, "multipart/form-data; boundary=b")

    def _submit(self, path: str, **fields: str) -> None:
        self._ask("POST", path, urlencode({"csrf_token": self._token, **fields}))

    def _ask(
        self, method: str, path: str, body: str | None = None, kind: str = FORM, cookie: str | None = None
    ) -> tuple[bytes, http.client.HTTPMessage]:
        address = ".".join(str(self._random.randrange(1, 250)) for _ in range(4))
        headers = {"X-Forwarded-For": address, "User-Agent": self._word(30), "Content-Type": kind}
        headers["Cookie"] = self._cookie if cookie is None else cookie
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        self.answers.append(answer.status)
        page = answer.read()
        connection.close()
        return page, answer.headers

    def _word(self, length: int = 12) -> str:
        return "".join(self._random.choices(string.ascii_lowercase, k=length))

    def _email(self) -> str:
        return f"{self._word()}@{self._word()}.com"


@pytest.mark.thorough
@pytest.mark.long(20)
def test_two_thousand_random_requests_add_less_than_ten_megabytes(server):
    attacker = Attacker(server.port)
    attacker.send(REQUESTS // 10)
    worker = psutil.Process(server.worker_ids()[0])
    before = worker.memory_info().rss

    attacker.send(REQUESTS)

    grown = (worker.memory_info().rss - before) / MEBIBYTE
    assert grown < 10
    assert worker.is_running()
    assert {404, 200} <= set(attacker.answers)
    assert max(attacker.answers) < 500
